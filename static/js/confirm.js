// <details class="confirm">: one open at a time; Escape and a click elsewhere close it.
// What is asked comes into view, also at the bottom of a screen.

const opened = () => document.querySelectorAll("details.confirm[open]");

document.addEventListener("click", (event) => {
  for (const details of opened()) {
    if (!details.contains(event.target)) details.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const details of opened()) {
    const inside = details.contains(document.activeElement);
    details.open = false;
    if (inside) details.querySelector("summary").focus();
  }
});

// It does not bubble.
document.addEventListener("toggle", ({ target }) => {
  if (target.matches("details.confirm[open]")) {
    target.querySelector(".confirm-box").scrollIntoView({ block: "nearest" });
  }
}, true);
