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

// After a call of the API that got no answer. It may have been carried out all the same.
export const NO_NETWORK =
  "The server did not answer, so this may or may not have been done. " +
  "The page shows it once it is live again.";
