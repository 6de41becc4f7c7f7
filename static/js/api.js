// Calls of the project's own API with the browser's session.

export class Refusal extends Error {
  constructor(status, body) {
    super(body.detail);
    this.status = status;
    this.body = body;
  }
}

export async function getJSON(url) {
  return answer(await fetch(url, { headers: { Accept: "application/json" } }));
}

// csrfToken: the hidden field of the form that this is sent for.
export async function postJSON(url, data, csrfToken) {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      Accept: "application/json",
      "Content-Type": "application/json",
      "X-CSRFToken": csrfToken,
    },
    body: JSON.stringify(data),
  });
  return answer(response);
}

async function answer(response) {
  const body = await response.json().catch(() => ({ detail: "The server gave no answer." }));
  if (!response.ok) throw new Refusal(response.status, body);
  return body;
}
