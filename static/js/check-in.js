// Sends the check-in form behind a QR code as soon as a person looks at the page: not
// while a browser only prepares it, and not when somebody comes back to it.

const form = document.getElementById("check-in");
const [navigation] = performance.getEntriesByType("navigation");

function submit() {
  if (navigation?.type === "back_forward") return;
  if (document.visibilityState === "visible") form.requestSubmit();
  else document.addEventListener("visibilitychange", submit, { once: true });
}

if (document.prerendering) {
  document.addEventListener("prerenderingchange", submit, { once: true });
} else {
  submit();
}
