// The messages region at the top of the page: one message at a time.

const SHOWN_MS = 8000;
let timer;

export function say(text, level = "success") {
  const message = document.createElement("p");
  message.className = "message";
  message.dataset.level = level;
  message.textContent = text;
  document.getElementById("messages").replaceChildren(message);
  clearTimeout(timer);
  if (level !== "error") timer = setTimeout(() => message.remove(), SHOWN_MS);
}

export const NO_NETWORK = "The server could not be reached. Nothing was changed.";
