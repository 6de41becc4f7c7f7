// Asking again and again, where there can be no socket. The answers are made into the
// frames that a socket would have brought, so that pages know one way to apply them.
import { getJSON, NoAnswer, Refusal } from "./api.js";
import { jittered } from "./timing.js";

const PAUSE_MS = 3_000;
const HIDDEN_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 15_000;
const FOLLOWED_BY_SNAPSHOT = ["opened", "reopened"];

export class Polling {
  // frames(): one poll, an asynchronous iterable that ends with the frame that proves
  // the page right. onFailure(status): undefined where there was no answer.
  constructor({ frames, onFrame, onFailure }) {
    Object.assign(this, { frames, onFrame, onFailure });
    this.turn = null;
  }

  get active() {
    return this.turn !== null;
  }

  start() {
    if (!this.active) this.poll();
  }

  stop() {
    clearTimeout(this.timer);
    this.turn = null;
  }

  // Now, whatever an earlier poll may still wait for.
  async poll(failures = 0) {
    clearTimeout(this.timer);
    const turn = (this.turn = {});
    try {
      for await (const frame of this.frames()) {
        if (turn !== this.turn) return;
        this.onFrame(frame);
      }
      failures = 0;
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof NoAnswer)) throw error;
      if (turn !== this.turn) return;
      failures += 1;
      this.onFailure(error.status);
    }
    if (turn !== this.turn) return;
    const usual = document.hidden ? HIDDEN_PAUSE_MS : PAUSE_MS;
    const most = Math.min(LONGEST_PAUSE_MS, usual * 2 ** failures);
    this.timer = setTimeout(() => this.poll(failures), jittered(most));
  }
}

// A class session: the messages after the revision that the page knows; the snapshot
// first where it knows none (or is no longer sure), and after an opening, as on a socket.
export function classSessionPoll(id) {
  const base = `/api/v1/class-sessions/${id}/`;
  return async function* (after) {
    let snapshot = after === null;
    for (;;) {
      if (snapshot) {
        const frame = await getJSON(`${base}roster/`);
        yield frame;
        after = frame.revision;
      }
      const answer = await getJSON(`${base}events/?after=${after}`);
      const { events, has_more: hasMore, ...heartbeat } = answer;
      yield* events;
      after = events.at(-1)?.revision ?? after;
      snapshot = events.some(needsSnapshot) || heartbeat.revision < after;
      if (!snapshot && !hasMore) {
        yield { type: "heartbeat", ...heartbeat };
        return;
      }
    }
  };
}

function needsSnapshot({ type, data }) {
  return type === "session_update" && FOLLOWED_BY_SNAPSHOT.includes(data.event);
}

// A student's own records. There are no revisions: each answer is a snapshot.
export function ownRecordsPoll(studentId) {
  const url = `/api/v1/attendance/?student=${studentId}&page_size=100`;
  return async function* () {
    const { results } = await getJSON(url);
    yield { type: "snapshot", records: results };
  };
}
