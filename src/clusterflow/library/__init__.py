"""What the YAML files of ``structures/`` may say, and finding them."""
