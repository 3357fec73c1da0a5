// How numbers and formulas are written, as in clusterflow.figures.text.

const MINUS = "\u2212";

/** A number as the page writes it: true minus, a sign where asked for. */
function write(value, digits = 2, sign = true) {
  if (value === null || value === undefined) return "\u2014";
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return (value < 0 ? MINUS : sign ? "+" : "") + text;
}

/** Formulas with subscripts, as on the rest of the page. */
function chem(text) {
  return text
    .replace(/(?<=[A-Za-z0-9])([+-])(?=[\s)]|$)/g, (sign) => (sign === "+" ? "⁺" : "⁻"))
    .replace(/(?<=[A-Za-z)])\d+/g, (digits) =>
      digits.replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[digit]),
    )
    .replaceAll("->", "→");
}
