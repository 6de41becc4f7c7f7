// Says in words how the connection is doing; the icon follows from data-connection.
import { Clock } from "./clock.js";

const hereAndNow = new Clock(Intl.DateTimeFormat().resolvedOptions().timeZone);

const SENTENCES = {
  connecting: () => "Connecting…",
  live: () => "Live",
  reconnecting: () => "Reconnecting…",
  stale: (since) => `Not up to date since ${hereAndNow.seconds(since)}. Trying again…`,
  ended: () => "Access has ended. Log in again.",
};

export function showConnection(state, since) {
  const element = document.getElementById("connection");
  const text = document.getElementById("connection-text");
  element.dataset.connection = state;
  text.textContent = SENTENCES[state](since);
}
