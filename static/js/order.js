// Roster order as the server has it: the name without regard to case, then the id.
//
// The server compares Python's str.casefold() by code points. JavaScript has no
// casefold; upper case and then lower case, letter by letter, comes to the same, save
// for the letters below. Letter by letter, because a Σ at the end of a word would
// otherwise become ς.

export function foldCase(name) {
  let folded = "";
  for (const letter of name) {
    if (letter === "ı") folded += letter;
    else if (letter === "ϴ") folded += "θ";
    else if (letter === "ẞ") folded += "ss";
    else for (const upper of letter.toUpperCase()) folded += upper.toLowerCase();
  }
  return folded;
}

// By code points: UTF-16 order, which < uses, puts emoji before some other letters.
export function compareCodePoints(a, b) {
  const [left, right] = [[...a], [...b]];
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const difference = left[i].codePointAt(0) - right[i].codePointAt(0);
    if (difference) return difference;
  }
  return left.length - right.length;
}

export function compareRecords(a, b) {
  return (
    compareCodePoints(foldCase(a.student_name), foldCase(b.student_name)) ||
    a.student_id - b.student_id
  );
}
