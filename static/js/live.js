// The live page and the projector's: applies what the stream says to the page.
import { wireBulk, wireOverride, wireSettle, wireStateForms, wireUndo } from "./actions.js";
import { Announcer } from "./announcer.js";
import { Board } from "./board.js";
import { Clock } from "./clock.js";
import { Conflicts } from "./conflicts.js";
import { showConnection } from "./connection.js";
import { Counts } from "./counts.js";
import { Operations } from "./operations.js";
import { classSessionPoll } from "./polling.js";
import { Roster } from "./roster.js";
import { Selection } from "./selection.js";
import { Stream } from "./stream.js";

const NO_REVISION = -1;
const root = document.querySelector("[data-live]");
const id = root.dataset.live;
const clock = new Clock(root.dataset.timeZone);
const board = new Board(root, clock);
// The projector shows nobody's name: there is no roster on it.
const roll = document.getElementById("roll") ? wireRoll() : null;
const counts = new Counts(root, roll ? roll.roster.statuses() : new Map());

function wireRoll() {
  const labels = JSON.parse(document.getElementById("labels").textContent);
  const body = document.getElementById("roll");
  const roster = new Roster(body, document.getElementById("row"), { labels, clock });
  const selection = new Selection(roster);
  const announcer = new Announcer(document.getElementById("announcer"), labels);
  wireStateForms(id, document.querySelectorAll("[data-api]"));
  wireBulk(id, document.getElementById("bulk"), selection);
  wireOverride(id, body, labels);
  wireSettle(id, document.getElementById("settle"));
  wireUndo(id, document.getElementById("undo"));
  const conflicts = new Conflicts(root, roster, { labels, clock });
  const operations = new Operations(id, clock);
  return { roster, selection, announcer, conflicts, operations };
}

const handlers = {
  snapshot({ class_session, records }) {
    board.show(class_session);
    roll?.roster.reset(records);
    roll?.operations.refresh();
    counts.reset(records);
  },
  student_joined({ data }) {
    counts.put(data);
    roll?.roster.put(data);
    roll?.announcer.arrived(data);
  },
  attendance_update({ data }) {
    for (const record of data.records ?? [data]) {
      counts.put(record);
      roll?.roster.put(record);
    }
    roll?.operations.refresh();
  },
  roster_update({ data: { event, record } }) {
    if (event === "enrolled") {
      counts.put(record);
      roll?.roster.put(record);
    } else {
      counts.remove(record.student_id);
      roll?.roster.remove(record.student_id);
    }
  },
  session_update({ data: { class_session } }) {
    board.show(class_session);
  },
  heartbeat({ conflicts }) {
    roll?.conflicts.heard(conflicts);
  },
};

new Stream({
  path: `/ws/class-sessions/${id}/`,
  probe: `/api/v1/class-sessions/${id}/`,
  poll: classSessionPoll(id),
  // Without rows there is nothing to count from: a snapshot comes first.
  after: roll ? Number(root.dataset.revision) : NO_REVISION,
  onState: showConnection,
  onFrame(frame) {
    const handle = handlers[frame.type];
    if (!handle) return;
    handle(frame);
    counts.show();
    roll?.conflicts.show();
    roll?.selection.filter();
    root.dataset.revision = frame.revision;
  },
}).start();
