// A student's own pages: when one of the records shown has changed, the part that shows
// them is fetched anew and swapped, so that it is what a reload would show.
import { showConnection } from "./connection.js";
import { Stream } from "./stream.js";

// A bulk mark reaches a whole class in one instant: its pages do not ask in the same.
const SPREAD_MS = 1500;
const RETRY_MS = 3000;

// On the page of one record only that one matters.
const only = Number(document.querySelector("[data-me]").dataset.me) || null;
let timer;

function isNews(record) {
  if (only && record.id !== only) return false;
  const shown = document.querySelector(`[data-record="${record.id}"]`);
  return !shown || Number(shown.dataset.version) < record.version;
}

function refreshSoon(delay) {
  clearTimeout(timer);
  timer = setTimeout(refresh, delay);
}

async function refresh() {
  try {
    const response = await fetch(location.href);
    if (!response.ok || response.redirected) return;
    const text = await response.text();
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("own");
    document.getElementById("own").replaceWith(document.adoptNode(fresh));
  } catch {
    refreshSoon(RETRY_MS);
  }
}

const handlers = {
  // The newest records; older ones that the page may show are not in it.
  snapshot: ({ records }) => records.some(isNews) && refreshSoon(0),
  student_joined: ({ data }) => isNews(data) && refreshSoon(0),
  attendance_update({ data }) {
    const many = data.event !== "override";
    if ((data.records ?? [data]).some(isNews)) refreshSoon(many ? Math.random() * SPREAD_MS : 0);
  },
};

new Stream({
  path: "/ws/me/",
  probe: "/api/v1/attendance/?page_size=1",
  onState: showConnection,
  onFrame: (frame) => handlers[frame.type]?.(frame),
}).start();
