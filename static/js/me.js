// A student's own pages: when one of the records shown has changed, the part that shows
// them is fetched anew and swapped, so that it is what a reload would show.
import { showConnection } from "./connection.js";
import { ownRecordsPoll } from "./polling.js";
import { Stream } from "./stream.js";

// A bulk mark reaches a whole class in one instant: its pages do not ask in the same.
const SPREAD_MS = 1500;
const RETRY_MS = 3000;
const SNAPSHOT_RECORDS = 100;

const { me, student } = document.querySelector("[data-me]").dataset;
// On the page of one record only that one matters.
const only = Number(me) || null;
let timer = null;
let fetching = null;
// While the page does not show yet what the stream has said.
let isBehind = false;

function isNews(record) {
  if (only && record.id !== only) return false;
  const shown = document.querySelector(`[data-record="${record.id}"]`);
  // A mark that was taken back is no longer listed.
  if (!shown) return record.attendance_status !== "unmarked";
  return Number(shown.dataset.version) < record.version;
}

// Whether one that is shown has gone; of more records than fit that cannot be told.
function isGone(records) {
  if (only || records.length >= SNAPSHOT_RECORDS) return false;
  const there = new Set(records.map((record) => String(record.id)));
  const shown = [...document.querySelectorAll("[data-record]")];
  return shown.some((element) => !there.has(element.dataset.record));
}

function refreshSoon(delay) {
  isBehind = true;
  clearTimeout(timer);
  timer = setTimeout(refresh, delay);
}

async function refresh() {
  timer = null;
  const turn = (fetching = {});
  const page = await fetchPage();
  // What has been asked for later is newer.
  if (turn !== fetching) return;
  if (!page || page.response.status >= 500) {
    refreshSoon(RETRY_MS);
    return;
  }
  // Access has ended: the stream hears of that, too.
  if (!page.response.ok || page.response.redirected) return;
  const fresh = new DOMParser().parseFromString(page.text, "text/html").getElementById("own");
  document.getElementById("own").replaceWith(document.adoptNode(fresh));
  if (timer !== null) return;
  isBehind = false;
  stream.confirm();
}

// null where the network failed.
async function fetchPage() {
  try {
    const response = await fetch(location.href, { cache: "no-store" });
    return { response, text: await response.text() };
  } catch {
    return null;
  }
}

const handlers = {
  // The newest records; older ones that the page may show are not in it.
  snapshot({ records }) {
    if (records.some(isNews) || isGone(records)) refreshSoon(0);
  },
  student_joined: ({ data }) => isNews(data) && refreshSoon(0),
  attendance_update({ data }) {
    const many = data.event !== "override";
    if ((data.records ?? [data]).some(isNews)) refreshSoon(many ? Math.random() * SPREAD_MS : 0);
  },
};

const stream = new Stream({
  path: "/ws/me/",
  probe: "/api/v1/attendance/?page_size=1",
  poll: ownRecordsPoll(student),
  onState: showConnection,
  isShown: () => !isBehind,
  onFrame: (frame) => handlers[frame.type]?.(frame),
});
stream.start();
