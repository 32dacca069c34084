// What the pages of steps, films and differences share: saying what the mouse or the keyboard points at.

// A text beside a place on the screen; null hides it.
function tell(text, place) {
  const reading = document.getElementById("reading");
  reading.textContent = text ?? "";
  reading.classList.toggle("seen", Boolean(text));
  if (!text) return;
  const left = Math.min(place.clientX + 14, window.innerWidth - reading.offsetWidth - 8);
  const below = place.clientY + 20, above = place.clientY - reading.offsetHeight - 12;
  reading.style.left = `${Math.max(4, left)}px`;
  reading.style.top = `${below + reading.offsetHeight > window.innerHeight ? above : below}px`;
}
