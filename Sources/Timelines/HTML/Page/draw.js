// The picture: a map of the whole on top, the axis, then the machine's marks and each vCPU's rows.
const MAP = 34, AXIS = 22;
let STRIP = 16, ROW = 13, GAP = 4;
const tip = document.getElementById("tip");
let things = [];
let style = null;

const color = (name) => style.getPropertyValue(name).trim();
const vectorColor = (vector, alpha = 1) => {
  const hue = (view.machine.vectors.indexOf(vector) * 137.5 + 215) % 360;
  return `hsl(${hue} 62% ${color("--vector-light")} / ${alpha})`;
};

const exitColor = (word) => color(word < 0 ? "--guest" : "--" + classes[word]);

// Where everything stands, from top to bottom.
function lay() {
  let y = MAP + AXIS + 6;
  const lanes = { marks: null, vcpus: new Map() };
  if (view.machine.marks.length) { lanes.marks = y; y += 24; }
  for (const v of view.machine.vcpus) {
    if (!view.vcpus.has(v.index)) continue;
    const lane = { top: y, strip: v.stays.length || v.halts.length ? y : null };
    if (lane.strip !== null) y += STRIP + GAP;
    lane.wait = y; y += v.waitDepth * ROW + GAP;
    lane.service = y; y += v.serviceDepth * ROW + GAP;
    lane.counts = v.counts.length ? y : null;
    if (lane.counts !== null) y += 24;
    lane.bottom = y + 4;
    y += 14;
    lanes.vcpus.set(v.index, lane);
  }
  lanes.bottom = y + 10;
  return lanes;
}

function paint() {
  style = getComputedStyle(document.documentElement);
  // Few rows are drawn larger, as far as there is room.
  let lanes = null;
  for (const scale of [1.9, 1.6, 1.3, 1]) {
    [STRIP, ROW, GAP] = [16 * scale, 13 * scale, 4 * scale];
    lanes = lay();
    if (lanes.bottom <= main.clientHeight) break;
  }
  const height = Math.max(main.clientHeight, lanes.bottom);
  const ratio = devicePixelRatio || 1;
  const total = main.clientWidth;
  canvas.width = total * ratio; canvas.height = height * ratio;
  canvas.style.width = total + "px"; canvas.style.height = height + "px";
  const c = canvas.getContext("2d");
  c.scale(ratio, ratio);
  c.font = "12px system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif";
  c.textBaseline = "middle";
  things = [];
  paintAxis(c, height);
  for (const v of view.machine.vcpus) {
    const lane = lanes.vcpus.get(v.index);
    if (lane) paintVCPU(c, v, lane, total);
  }
  const journeys = visibleJourneys();
  c.save();
  c.beginPath(); c.rect(LEFT, MAP, width(), height); c.clip();
  // Beyond this many nobody could tell one from another.
  if (journeys.length > 3000) paintDensity(c, journeys, lanes);
  else for (const j of journeys) paintJourney(c, j, lanes);
  for (const j of [view.hovered, view.chosen]) if (j && isShown(j)) paintJourney(c, j, lanes, true);
  if (lanes.marks !== null) paintMarks(c, lanes.marks, height);
  c.restore();
  paintMap(c);
}

function visibleJourneys() {
  return view.machine.journeys.filter((j) => isShown(j) && j.end >= view.start && j.start <= view.end);
}

function paintAxis(c, height) {
  const rough = ((view.end - view.start) / width()) * 110;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const tick = Math.max(1, [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough));
  const digits = Math.ceil(Math.log10(Math.max(Math.abs(view.end), 10) / tick)) + 1;
  c.strokeStyle = color("--grid"); c.fillStyle = color("--faint"); c.textAlign = "center";
  for (let n = Math.ceil(view.start / tick); n * tick <= view.end; n++) {
    const px = Math.round(x(n * tick)) + 0.5;
    c.beginPath(); c.moveTo(px, MAP + AXIS - 2); c.lineTo(px, height); c.stroke();
    c.fillText(time(n * tick, Math.min(digits, 12)), px, MAP + AXIS / 2);
  }
}

function paintVCPU(c, v, lane, total) {
  c.strokeStyle = color("--line");
  c.beginPath(); c.moveTo(0, lane.bottom + 1.5); c.lineTo(total, lane.bottom + 1.5); c.stroke();
  const label = (text, y, isTitle) => {
    c.font = `${isTitle ? "600 12" : "11"}px system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif`;
    c.fillStyle = color(isTitle ? "--ink" : "--faint"); c.textAlign = isTitle ? "left" : "right";
    c.fillText(text, isTitle ? 10 : LEFT - 8, y);
  };
  label(`vCPU ${v.index}`, lane.top + 8, true);
  label("waits", lane.wait + ROW / 2);
  label("served", lane.service + ROW / 2);
  c.save();
  c.beginPath(); c.rect(LEFT, 0, width(), lane.bottom); c.clip();
  for (const [start, end, slept] of between(v.halts)) {
    c.fillStyle = color("--halted");
    box(c, start, end, lane.strip, STRIP, { text: slept ? "halted" : "halted, polled for" });
  }
  for (const [start, end, word] of between(v.stays)) {
    c.fillStyle = exitColor(word);
    const name = word < 0 ? "in guest" : words[word];
    const [from, to] = box(c, start, end, lane.strip, STRIP, { text: `${name}, ${time(end - start)}` });
    if (to - from < 46) continue;
    c.fillStyle = color("--ink"); c.textAlign = "left"; c.font = "10.5px system-ui, 'DejaVu Sans', sans-serif";
    const room = Math.floor((Math.min(to, LEFT + width()) - Math.max(from, LEFT) - 8) / 6);
    if (room > 4) c.fillText(name.length > room ? name.slice(0, room - 1) + "…" : name, Math.max(from, LEFT) + 5, lane.strip + STRIP / 2 + 0.5);
  }
  if (lane.counts !== null) paintCounts(c, v, lane.counts);
  c.restore();
  if (lane.counts !== null) label("IRR, ISR", lane.counts + 9);
}

// Those of a list of spans that can be seen, no more than the picture has columns.
function* between(list) {
  const unit = (view.end - view.start) / width();
  let from = view.start;
  for (let i = Math.max(0, place(list, view.start, (s) => s[0]) - 1); i < list.length && list[i][0] <= view.end;) {
    if (list[i][1] >= view.start) yield list[i];
    from = Math.max(list[i][1], from);
    const next = place(list, list[i][0] + unit * 0.5, (s) => s[0]);
    i = list[i][1] - list[i][0] >= unit ? i + 1 : Math.max(i + 1, next);
  }
}

function box(c, start, end, y, height, thing) {
  const from = x(start), to = Math.max(x(end), from + 1);
  c.fillRect(from, y, to - from, height);
  things.push({ ...thing, from, to, top: y, bottom: y + height });
  return [from, to];
}

function paintCounts(c, v, y) {
  const most = v.counts.reduce((most, [, irr, isr]) => Math.max(most, irr, isr), 1);
  const first = Math.max(0, place(v.counts, view.start, (s) => s[0]) - 1);
  for (const [which, name] of [[1, "--irr"], [2, "--isr"]]) {
    c.strokeStyle = color(name); c.lineWidth = 1.4;
    c.beginPath();
    let last = null;
    for (let i = first; i < v.counts.length; i++) {
      const px = x(Math.max(v.counts[i][0], view.start - 1));
      const level = y + 18 - (v.counts[i][which] / most) * 15;
      if (last === null) c.moveTo(px, level); else { c.lineTo(px, last); c.lineTo(px, level); }
      last = level;
      if (v.counts[i][0] > view.end) break;
    }
    if (last !== null) c.lineTo(LEFT + width(), last);
    c.stroke();
  }
  c.lineWidth = 1;
}
