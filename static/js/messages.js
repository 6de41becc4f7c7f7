// The messages region at the top of the page: one message at a time.

const SHOWN_MS = 8000;
const SHOWN_WITH_ACTION_MS = 20_000;
let timer;

// action: {label, run} of a button beside the text; run() is called once.
export function say(text, level = "success", action = null) {
  const message = document.createElement("p");
  message.className = "message";
  message.dataset.level = level;
  message.textContent = text;
  if (action) message.append(" ", button(action, message));
  document.getElementById("messages").replaceChildren(message);
  clearTimeout(timer);
  const shown = action ? SHOWN_WITH_ACTION_MS : SHOWN_MS;
  if (level !== "error") timer = setTimeout(() => message.remove(), shown);
}

function button({ label, run }, message) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "small";
  element.textContent = label;
  element.addEventListener("click", () => {
    message.remove();
    run();
  });
  return element;
}

// After a call of the API that got no answer. It may have been carried out all the same.
export const NO_NETWORK =
  "The server did not answer, so this may or may not have been done. " +
  "The page shows it once it is live again.";
