// What is looked at: a machine, a time, and which vectors and vCPUs of it.
const view = { machine: null, start: 0, end: 1, vectors: new Set(), vcpus: new Set(), chosen: null, hovered: null };
const main = document.querySelector("main");
const canvas = document.querySelector("canvas");
const LEFT = 108;
let isDue = false;

function draw() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => { isDue = false; paint(); listJourneys(); });
}

const isShown = (j) => view.vectors.has(j.vector) && view.vcpus.has(j.vcpu);
const width = () => Math.max(50, main.clientWidth - LEFT - 12);
const x = (time) => LEFT + ((time - view.start) / (view.end - view.start)) * width();
const timeAt = (px) => view.start + ((px - LEFT) / width()) * (view.end - view.start);

function look(start, end) {
  const [low, high] = view.machine.range;
  const whole = high - low;
  const length = Math.min(Math.max(end - start, 20), whole * 1.1);
  let from = start + (end - start - length) / 2;
  from = Math.min(Math.max(from, low - whole * 0.05 - length * 0.5), high + whole * 0.05 - length * 0.5);
  [view.start, view.end] = [from, from + length];
  draw();
}

function zoom(factor, around = (view.start + view.end) / 2) {
  look(around - (around - view.start) * factor, around + (view.end - around) * factor);
}

// All interrupts; where there are none, everything.
function lookAtAll() {
  const shown = view.machine.journeys.filter(isShown);
  let [low, high] = view.machine.range;
  if (shown.length) {
    low = shown[0].start;
    high = shown.reduce((end, j) => Math.max(end, j.end), low);
  }
  const margin = Math.max((high - low) * 0.04, 500);
  look(low - margin, high + margin);
}

function choose(j, isToSee = true) {
  view.chosen = j;
  showJourney(j);
  if (j && isToSee) {
    const margin = Math.max((j.end - j.start) * 0.6, 1000);
    look(j.start - margin, j.end + margin);
  } else draw();
  if (j) history.replaceState(null, "", `#machine=${view.machine.number}&journey=${j.id}`);
}

function step(by) {
  const shown = view.machine.journeys.filter(isShown);
  if (!shown.length) return;
  const at = view.chosen ? shown.indexOf(view.chosen) : by > 0 ? -1 : shown.length;
  choose(shown[Math.min(Math.max(at + by, 0), shown.length - 1)]);
}

function show(m) {
  view.machine = m;
  view.vectors = new Set(m.vectors);
  view.vcpus = new Set(m.vcpus.map((v) => v.index));
  view.chosen = view.hovered = null;
  showMachine(m);
  lookAtAll();
}

// The wheel, the mouse, fingers, and keys.
function listen() {
  let drag = null;
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const by = ((event.deltaX || event.deltaY) / width()) * (view.end - view.start);
      look(view.start + by, view.end + by);
    } else zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.005), timeAt(event.offsetX));
  }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    drag = { x: event.offsetX, start: view.start, end: view.end, isMoved: false, inMap: event.offsetY < MAP };
    if (drag.inMap) goTo(event.offsetX);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drag) return hover(event);
    if (drag.inMap) return goTo(event.offsetX);
    drag.isMoved ||= Math.abs(event.offsetX - drag.x) > 3;
    const by = ((drag.x - event.offsetX) / width()) * (drag.end - drag.start);
    if (drag.isMoved) look(drag.start + by, drag.end + by);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (drag && !drag.isMoved && !drag.inMap) choose(thingAt(event.offsetX, event.offsetY)?.journey ?? null, false);
    drag = null;
  });
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; view.hovered = null; draw(); });
  canvas.addEventListener("dblclick", (event) => {
    const journey = thingAt(event.offsetX, event.offsetY)?.journey;
    if (journey) choose(journey); else zoom(0.35, timeAt(event.offsetX));
  });
  addEventListener("keydown", (event) => {
    if (event.target.matches("select, input") || event.ctrlKey || event.metaKey || event.altKey) return;
    const length = view.end - view.start;
    const keys = {
      ArrowLeft: () => look(view.start - length * 0.15, view.end - length * 0.15),
      ArrowRight: () => look(view.start + length * 0.15, view.end + length * 0.15),
      "+": () => zoom(0.6), "=": () => zoom(0.6), "-": () => zoom(1 / 0.6), 0: lookAtAll, n: () => step(1), p: () => step(-1),
      Escape: () => choose(null),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  new ResizeObserver(draw).observe(main);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

function goTo(px) {
  const [low, high] = view.machine.range;
  const middle = low + ((px - LEFT) / width()) * (high - low);
  const half = (view.end - view.start) / 2;
  look(middle - half, middle + half);
}
