// Live pages: the server says that something changed, the page fetches its changing parts, rendered, and puts them
// in their places. Without this file the pages work the same, and change when they are loaded again.

const CHARTS_MS = 15000;
const body = document.body;
const QUIET_MS = Number(body.dataset.quiet) || 2500; // changes that come together are fetched together
const ANYWAY_MS = Number(body.dataset.every) || 30000; // ages ("3 min ago") go on without any change
const facility = body.dataset.facility;
const linkState = document.getElementById("link-state"), kept = document.getElementById("kept");
let due = 0, lastFetch = Date.now(), lastCharts = 0, wasLost = false;

const busy = (place) =>
  place.contains(document.activeElement) && document.activeElement !== document.body ||
  place.querySelector("details[open]") ||
  [...place.querySelectorAll("input, textarea")].some((each) => each.value !== each.defaultValue);

function replace(text) {
  const found = new DOMParser().parseFromString(text, "text/html");
  // Another language was chosen in another window.
  if (found.documentElement.lang !== document.documentElement.lang) return location.reload();
  for (const fresh of found.querySelectorAll("[data-live]")) {
    const place = document.getElementById(fresh.id);
    if (!place || busy(place)) continue;
    if (place.className !== fresh.className) place.className = fresh.className;
    if (place.innerHTML !== fresh.innerHTML) place.replaceChildren(...fresh.childNodes);
  }
}

async function refresh() {
  due = 0;
  lastFetch = Date.now();
  const address = new URL(location.href);
  address.searchParams.set("part", "live");
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (answer.redirected) return location.reload(); // signed out: the page leads to the sign-in
    if (answer.ok) replace(await answer.text());
    if (answer.ok) kept.hidden = true;
    said(answer.ok);
    if (plots && Date.now() - lastCharts > CHARTS_MS) await loadCharts();
  } catch {
    said(false);
  }
}

function soon() {
  if (due || document.hidden) return;
  due = setTimeout(refresh, Math.max(250, lastFetch + QUIET_MS - Date.now()));
}

function said(connected) {
  if (connected === !wasLost) return;
  wasLost = !connected;
  linkState.textContent = connected ? linkState.dataset.back : linkState.dataset.lost;
}

function listen() {
  const events = new EventSource("/api/v1/events" + (facility ? "?facility=" + encodeURIComponent(facility) : ""));
  for (const name of ["facility", "alert", "heard", "reset"]) events.addEventListener(name, soon);
  events.addEventListener("open", () => { if (wasLost) soon(); });
  events.addEventListener("error", () => said(false));
  addEventListener("pagehide", () => events.close());
  addEventListener("pageshow", (shown) => { if (shown.persisted) location.reload(); });
}

// Charts: the drawing in the page is there at once. Where one comes into view uPlot takes its place, with the same
// axes, limits and marks; script and data are loaded only then, and not at all where data are dear.
const charts = [];
const HEIGHT = 176;
let plots = null;

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function clock(zone) {
  const pick = (options) => new Intl.DateTimeFormat(document.documentElement.lang + "-u-nu-latn", { timeZone: zone, hourCycle: "h23", ...options });
  try {
    const full = pick({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
    return { zone, full: (seconds) => full.format(new Date(seconds * 1000)) };
  } catch {
    return clock("UTC");
  }
}

function columns(chart) {
  return chart.min ? [chart.times, chart.mean, chart.max, chart.min] : [chart.times, chart.mean];
}

// Behind everything: the excursions, and the safe band between the limits that were in force at each time.
function shade(chart) {
  return (plot) => {
    const { left, top, width, height } = plot.bbox, { ctx } = plot;
    const x = (value) => Math.min(Math.max(plot.valToPos(value, "x", true), left), left + width);
    const y = (value, otherwise) => value === null ? otherwise : Math.min(Math.max(plot.valToPos(value, "y", true), top), top + height);
    ctx.save();
    ctx.fillStyle = style("--bg");
    ctx.fillRect(left, top, width, height);
    ctx.fillStyle = style("--safe");
    for (const [from, to, low, high] of chart.limits) {
      const upper = y(high, top);
      ctx.fillRect(x(from), upper, x(to) - x(from), y(low, top + height) - upper);
    }
    ctx.fillStyle = style("--excursion");
    for (const [from, to] of chart.excursions) ctx.fillRect(x(from), top, Math.max(x(to) - x(from), 1), height);
    ctx.restore();
  };
}

// Strips and marks below follow where the chart is zoomed.
function align(entry, data) {
  return (plot) => {
    const { min, max } = plot.scales.x, whole = data.to - data.from;
    for (const each of entry.place.parentElement.querySelectorAll(".aligned > svg")) {
      each.style.width = whole / (max - min) * 100 + "%";
      each.style.marginLeft = (data.from - min) / (max - min) * 100 + "%";
    }
  };
}

function options(entry, chart, data, width) {
  const words = clock(data.zone), [time, mean, value, highest, lowest] = body.dataset.words.split("|");
  const show = (_, found) => found === null || found === undefined ? "–" : found.toFixed(chart.decimals) + " " + chart.unit;
  const faint = { stroke: "transparent", width: 0, points: { show: false }, value: show };
  const axis = { stroke: style("--quiet"), grid: { show: false }, ticks: { show: false }, font: "11px system-ui" };
  // On a canvas a label cannot stand beyond the edge.
  const fits = ([at, , major]) => at < data.to - (data.to - data.from) * 18 / width && (major || width >= 500);
  const whole = (plot) => plot.scales.x.min <= data.from && plot.scales.x.max >= data.to;
  const named = new Map(data.ticks.filter(fits));
  const values = new Map(chart.ticks);
  return {
    width, height: HEIGHT, padding: [8, 6, 0, 0],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), words.zone),
    scales: { x: { min: data.from, max: data.to }, y: { range: chart.scale } },
    cursor: { y: false, drag: { x: true, y: false } },
    axes: [
      {
        ...axis, space: 90, size: 26,
        splits: (plot, _, min, max, step) => whole(plot) ? [...named.keys()] : zoomed(min, max, step),
        values: (_, ticks) => ticks.map((tick) => named.get(tick) ?? words.full(tick)),
      },
      {
        ...axis, size: 44, gap: 4, grid: { stroke: style("--line"), width: 1 },
        splits: () => [...values.keys()], values: (_, ticks) => ticks.map((tick) => values.get(tick)),
      },
    ],
    series: [
      { label: time, value: (_, seconds) => seconds === null ? "–" : words.full(seconds) },
      { label: chart.min ? mean : value, stroke: style("--plot"), width: 1.75, value: show, spanGaps: false, points: { show: false } },
      ...(chart.min ? [{ ...faint, label: highest }, { ...faint, label: lowest }] : []),
    ],
    bands: chart.min ? [{ series: [2, 3], fill: style("--band") }] : [],
    hooks: { drawClear: [shade(chart)], setScale: [align(entry, data)] },
  };
}

function zoomed(min, max, step) {
  const found = [];
  for (let at = Math.ceil(min / step) * step; at <= max; at += step) found.push(at);
  return found;
}

function draw(entry, chart, data) {
  entry.plot?.destroy();
  entry.place.classList.add("drawn");
  entry.plot = new uPlot(options(entry, chart, data, entry.place.clientWidth), columns(chart), entry.place);
}

function drawSeen(again) {
  if (!plots) return;
  for (const entry of charts.filter((each) => each.seen && (again ? !each.place.matches(":hover") : !each.plot))) {
    const chart = plots.charts.find((each) => each.channel === entry.channel);
    if (chart?.times.length) draw(entry, chart, plots);
  }
}

async function loadCharts() {
  lastCharts = Date.now();
  const answer = await fetch(body.dataset.charts, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  plots = await answer.json();
  drawSeen(true);
}

const plotter = () => new Promise((resolve, reject) => {
  const script = document.createElement("script");
  script.addEventListener("load", resolve);
  script.addEventListener("error", reject);
  script.src = body.dataset.plotter;
  document.head.append(script);
});

function startCharts() {
  const { saveData, effectiveType } = navigator.connection ?? {};
  if (!body.dataset.charts || saveData || effectiveType?.endsWith("2g") || !("IntersectionObserver" in window)) return;
  let begun = null;
  const eyes = new IntersectionObserver((found) => {
    for (const each of found.filter((one) => one.isIntersecting)) {
      eyes.unobserve(each.target);
      charts.find((entry) => entry.place === each.target).seen = true;
    }
    if (charts.some((entry) => entry.seen && !entry.plot))
      begun = (begun ?? plotter().then(loadCharts)).then(() => drawSeen(false)).catch(() => said(false));
  }, { rootMargin: "200px" });
  const sizes = new ResizeObserver(() => charts.forEach((entry) => {
    const width = entry.place.clientWidth;
    if (entry.plot && width && entry.plot.width !== width) entry.plot.setSize({ width, height: HEIGHT });
  }));
  for (const place of document.querySelectorAll("[data-plot]")) {
    charts.push({ channel: place.dataset.plot, place, seen: false, plot: null });
    eyes.observe(place);
    sizes.observe(place);
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawSeen(true));
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
setInterval(() => { if (Date.now() - lastFetch > ANYWAY_MS) soon(); }, Math.min(5000, ANYWAY_MS));
startCharts();
listen();
if (!kept.hidden) soon();
// Only where the address is secure: https, or this machine.
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js").catch(() => {});
