// Says in words how the connection is doing; the icon follows from data-connection.
import { Clock } from "./clock.js";

// Screen readers hear of a state that lasts, not of every hiccup.
const SETTLED_MS = 1500;
const hereAndNow = new Clock(Intl.DateTimeFormat().resolvedOptions().timeZone);

const SENTENCES = {
  connecting: () => "Connecting…",
  live: () => "Live",
  "catching-up": (since) => (since ? `Catching up from ${since}…` : "Catching up…"),
  stale: (since) => `Not up to date since ${since}`,
  polling: () => "Polling every few seconds",
  ended: (since) => `Access has ended (${since}). Log in again.`,
};
const USUAL = ["connecting", "live"];

let timer;
let hasSpoken = false;

// since: a Date where the page is to say it, else null.
export function showConnection(state, since) {
  const sentence = SENTENCES[state](since && hereAndNow.seconds(since));
  document.getElementById("connection").dataset.connection = state;
  document.getElementById("connection-text").textContent = sentence;
  clearTimeout(timer);
  timer = setTimeout(() => announce(state, sentence), SETTLED_MS);
}

// That all is as it should be is news only after it was not.
function announce(state, sentence) {
  if (!hasSpoken && USUAL.includes(state)) return;
  const said = document.getElementById("connection-said");
  if (said.textContent !== sentence) said.textContent = sentence;
  hasSpoken = true;
}
