// Calls of the project's own API with the browser's session.
import { Age, jittered, pause } from "./timing.js";

const GET_PATIENCE_MS = 10_000;
// A POST that is not known to have arrived is sent again, for about so long.
const POST_PATIENCE_MS = 4_000;
const RETRY_FOR_MS = 8_000;
const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 2_000;
const GATEWAY_FAILED = [502, 503, 504];

// The server said no.
export class Refusal extends Error {
  constructor(status, body) {
    super(body.detail);
    this.status = status;
    this.body = body;
  }
}

// Nothing is known of what the server did, if anything reached it.
export class NoAnswer extends Error {}

export async function getJSON(url) {
  const answer = await send(url, {}, GET_PATIENCE_MS);
  if (!answer) throw new NoAnswer();
  return accepted(answer);
}

// csrfToken: the hidden field of the form that this is sent for.
export async function postJSON(url, data, csrfToken) {
  return (await post(url, data, csrfToken)).body;
}

// Like postJSON, with the id of the operation to undo, where the answer names one.
//
// The key makes it safe to send the same again: the server carries a request out once
// and gives its first answer each time. Throws a Refusal, or NoAnswer in the end.
export async function post(url, data, csrfToken) {
  const request = {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "X-CSRFToken": csrfToken,
      "Idempotency-Key": newKey(),
    },
    body: JSON.stringify(data),
  };
  const begun = new Age();
  for (let tries = 0; ; tries++) {
    const answer = await send(url, request, POST_PATIENCE_MS);
    if (answer && !isUndecided(answer)) {
      const operationId = answer.response.headers.get("Operation-Id");
      return { body: accepted(answer), operationId };
    }
    const delay = jittered(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries));
    if (begun.ms + delay > RETRY_FOR_MS) throw new NoAnswer();
    await pause(delay);
  }
}

// {response, body}, or null where no answer of the server's came whole and in time. One
// that is not JSON is somebody else's: a proxy's, or a log-in page of the network.
async function send(url, request, patience) {
  const headers = { Accept: "application/json", ...request.headers };
  const signal = AbortSignal.timeout(patience);
  try {
    const response = await fetch(url, { ...request, headers, signal, cache: "no-store" });
    return { response, body: await response.json() };
  } catch {
    return null; // that says nothing of what the server did
  }
}

// Whether the answer leaves open what becomes of the request.
function isUndecided({ response: { status }, body }) {
  const running = status === 409 && body.code === "request_in_progress";
  return running || GATEWAY_FAILED.includes(status);
}

function accepted({ response, body }) {
  if (!response.ok) throw new Refusal(response.status, body);
  return body;
}

// crypto.randomUUID is only there on https and localhost.
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
