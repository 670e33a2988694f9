// Interrupts in the picture: what waits, what is served, and the arrow from the source.
function paintJourney(c, j, lanes, isStrong = false) {
  const lane = lanes.vcpus.get(j.vcpu);
  const thing = { journey: j };
  const isFaded = !isStrong && view.chosen && view.chosen !== j;
  c.globalAlpha = isFaded ? 0.35 : 1;
  c.fillStyle = vectorColor(j.vector, isStrong ? 0.75 : 0.42);
  const wait = lane.wait + (j.waitRow ?? 0) * ROW;
  const service = lane.service + (j.serviceRow ?? 0) * ROW;
  const begin = j.wait ? j.wait[0] : j.start;
  if (j.wait) journeyBox(c, j.wait, wait + 1, thing, isStrong, "");
  c.fillStyle = vectorColor(j.vector);
  if (j.service) journeyBox(c, j.service, service + 1, thing, isStrong, hex(j.vector));
  else dot(c, x(j.entered ?? j.end), service + ROW / 2, thing, isStrong);
  // From the source's lane to where it was accepted, and from there to its handler.
  c.strokeStyle = vectorColor(j.vector, isStrong ? 1 : 0.55);
  c.lineWidth = isStrong ? 2 : 1;
  const from = j.sender >= 0 && j.sender !== j.vcpu ? lanes.vcpus.get(j.sender) : null;
  if (from) arrow(c, x(begin), from.strip ?? from.wait, STRIP, x(begin), wait + ROW / 2);
  if (j.entered !== null && j.entered !== undefined) {
    c.beginPath(); c.moveTo(x(j.entered), wait + ROW / 2); c.lineTo(x(j.entered), service + 2); c.stroke();
  }
  if (isStrong) {
    STEPS.forEach((name, i) => {
      const at = j.times[i];
      if (at === null) return;
      c.setLineDash([2, 3]);
      c.beginPath(); c.moveTo(x(at), lane.top - 2); c.lineTo(x(at), lane.bottom); c.stroke();
      c.setLineDash([]);
    });
  }
  c.lineWidth = 1;
  c.globalAlpha = 1;
}

// How many there are at each place, where they are too many to be told apart.
function paintDensity(c, journeys, lanes) {
  const counts = new Map();
  for (const j of journeys) {
    const column = Math.floor(x(j.start));
    if (!counts.has(j.vcpu)) counts.set(j.vcpu, new Map());
    const own = counts.get(j.vcpu);
    const cell = own.get(column) ?? { count: 0, vectors: new Map() };
    cell.count++;
    cell.vectors.set(j.vector, (cell.vectors.get(j.vector) ?? 0) + 1);
    own.set(column, cell);
  }
  for (const [index, own] of counts) {
    const lane = lanes.vcpus.get(index);
    const most = [...own.values()].reduce((most, cell) => Math.max(most, cell.count), 1);
    const bottom = lane.counts ?? lane.bottom;
    const room = bottom - GAP - lane.wait;
    for (const [column, cell] of own) {
      // A column is as high as they are many, and has its vectors in their shares.
      const height = Math.max(2, Math.sqrt(cell.count / most) * room);
      let y = bottom - GAP;
      for (const vector of view.machine.vectors) {
        const part = ((cell.vectors.get(vector) ?? 0) / cell.count) * height;
        if (!part) continue;
        c.fillStyle = vectorColor(vector);
        c.fillRect(column, y - part, 1, part);
        y -= part;
      }
      things.push({ text: `${cell.count} interrupts; zoom in for each`, from: column, to: column + 1, top: y, bottom: bottom - GAP });
    }
  }
}

function journeyBox(c, [start, end], y, thing, isStrong, text) {
  const from = x(start), to = Math.max(x(end), from + 3);
  c.beginPath(); c.roundRect(from, y, to - from, ROW - 2, 3); c.fill();
  if (isStrong) { c.strokeStyle = color("--ink"); c.stroke(); }
  things.push({ ...thing, from: from - 2, to: to + 2, top: y, bottom: y + ROW - 2 });
  if (!text || to - from < 34) return;
  c.fillStyle = color("--raised"); c.textAlign = "left"; c.font = "600 10px system-ui, 'DejaVu Sans', sans-serif";
  c.fillText(text, Math.max(from, LEFT) + 4, y + ROW / 2 - 0.5);
}

function dot(c, px, y, thing, isStrong) {
  c.beginPath(); c.arc(px, y, isStrong ? 5 : 3.5, 0, 7); c.fill();
  if (isStrong) { c.strokeStyle = color("--ink"); c.stroke(); }
  things.push({ ...thing, from: px - 5, to: px + 5, top: y - 6, bottom: y + 6 });
}

// From the edge of the sender's strip that is nearer, with a bow, so that it can be told from the grid.
function arrow(c, fromX, stripTop, stripHeight, toX, toY) {
  const down = stripTop < toY;
  const fromY = down ? stripTop + stripHeight : stripTop;
  c.beginPath(); c.moveTo(fromX, fromY);
  c.bezierCurveTo(fromX - 14, fromY + (toY - fromY) * 0.35, toX - 14, fromY + (toY - fromY) * 0.65, toX, toY);
  c.stroke();
  c.beginPath(); c.moveTo(toX, toY); c.lineTo(toX - 6, toY + (down ? -5 : 5)); c.lineTo(toX - 7, toY + (down ? 1 : -1));
  c.closePath(); c.fillStyle = c.strokeStyle; c.fill();
  c.beginPath(); c.arc(fromX, fromY, 2.5, 0, 7); c.fill();
}

function paintMarks(c, y, height) {
  for (const mark of view.machine.marks) {
    if (mark.time < view.start || mark.time > view.end) continue;
    const px = x(mark.time);
    c.strokeStyle = c.fillStyle = color("--mark");
    c.globalAlpha = 0.4;
    c.beginPath(); c.moveTo(px, y); c.lineTo(px, height); c.stroke();
    c.globalAlpha = 1;
    c.beginPath(); c.moveTo(px, y + 16); c.lineTo(px - 5, y + 6); c.lineTo(px + 5, y + 6); c.fill();
    things.push({ text: mark.text, from: px - 6, to: px + 6, top: y, bottom: y + 18 });
  }
}

// The whole: how many interrupts there are at each place, and what is looked at.
function paintMap(c) {
  const [low, high] = view.machine.range;
  const columns = Math.floor(width());
  const counts = new Uint32Array(columns + 1);
  for (const j of view.machine.journeys) {
    if (isShown(j)) counts[Math.floor(((j.start - low) / (high - low)) * columns)]++;
  }
  const most = counts.reduce((a, b) => Math.max(a, b), 1);
  c.fillStyle = color("--raised"); c.fillRect(LEFT, 2, columns, MAP - 6);
  c.fillStyle = color("--accent");
  counts.forEach((count, i) => {
    if (!count) return;
    const height = 4 + Math.sqrt(count / most) * (MAP - 14);
    c.fillRect(LEFT + i, MAP - 5 - height, 1.5, height);
  });
  const at = (time) => LEFT + ((time - low) / (high - low)) * columns;
  const from = Math.max(LEFT, Math.min(at(view.start), LEFT + columns - 3));
  const to = Math.min(LEFT + columns, Math.max(at(view.end), from + 3));
  c.fillStyle = color("--select"); c.fillRect(from, 2, to - from, MAP - 6);
  c.strokeStyle = color("--accent"); c.strokeRect(from + 0.5, 2.5, Math.max(to - from - 1, 2), MAP - 7);
}

function thingAt(px, py) {
  for (let i = things.length - 1; i >= 0; i--) {
    const t = things[i];
    if (px >= t.from && px <= t.to && py >= t.top - 1 && py <= t.bottom + 1) return t;
  }
  return null;
}

function hover(event) {
  const thing = thingAt(event.offsetX, event.offsetY);
  canvas.style.cursor = event.offsetY < MAP ? "pointer" : thing?.journey ? "pointer" : "grab";
  tip.hidden = !thing;
  if (thing) {
    tip.textContent = thing.text ?? summary(thing.journey);
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.min(event.clientX + 14, innerWidth - box.width - 8) + "px";
    tip.style.top = Math.min(event.clientY + 14, innerHeight - box.height - 8) + "px";
  }
  if ((thing?.journey ?? null) !== view.hovered) { view.hovered = thing?.journey ?? null; draw(); }
}

function summary(j) {
  const lines = [`${hex(j.vector)} from ${j.from} to vCPU ${j.vcpu}`, j.way + (j.exit ? `, after ${j.exit}` : "")];
  STEPS.forEach((name, i) => {
    if (j.times[i] !== null) lines.push(`${name}: ${j.times[i] === j.start ? time(j.start, 9) : "+" + time(j.times[i] - j.start)}`);
  });
  return lines.join("\n");
}
