"""Steps of an optimiser, and the Hessian it starts from."""
