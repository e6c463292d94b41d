// Live pages: the server says that something changed, the page fetches its changing parts, rendered, and puts them
// in their places. Without this file the pages work the same, and change when they are loaded again.

const QUIET_MS = 2500; // changes that come together are fetched together
const CHARTS_MS = 15000;
const body = document.body;
const ANYWAY_MS = Number(body.dataset.every) || 30000; // ages ("3 min ago") go on without any change
const facility = body.dataset.facility;
const linkState = document.getElementById("link-state");
let due = 0, lastFetch = Date.now(), lastCharts = 0, wasLost = false;

const busy = (place) =>
  place.contains(document.activeElement) && document.activeElement !== document.body ||
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
    said(answer.ok);
    if (charts.length && Date.now() - lastCharts > CHARTS_MS) await loadCharts();
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

// Charts: the drawing in the page is there at once; uPlot takes its place when script and data have come.
const charts = [];

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function clock(zone) {
  const pick = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options });
  let time, day;
  try {
    time = pick({ hour: "2-digit", minute: "2-digit" }); day = pick({ day: "numeric", month: "short" });
  } catch {
    zone = "UTC";
    return clock(zone);
  }
  return {
    zone,
    tick: (seconds) => {
      const moment = new Date(seconds * 1000), text = time.format(moment);
      return text === "00:00" ? day.format(moment) : text;
    },
    days: (seconds) => day.format(new Date(seconds * 1000)),
    full: (seconds) => day.format(new Date(seconds * 1000)) + " " + time.format(new Date(seconds * 1000)),
  };
}

function columns(chart) {
  return chart.min ? [chart.times, chart.mean, chart.max, chart.min] : [chart.times, chart.mean];
}

// The safe band between the limits, behind everything.
function shade(chart) {
  return (plot) => {
    if (chart.low === null && chart.high === null) return;
    const { left, top, width, height } = plot.bbox;
    const at = (value, otherwise) =>
      value === null ? otherwise : Math.min(Math.max(plot.valToPos(value, "y", true), top), top + height);
    const from = at(chart.high, top), to = at(chart.low, top + height);
    plot.ctx.save();
    plot.ctx.fillStyle = style("--safe");
    plot.ctx.fillRect(left, from, width, to - from);
    plot.ctx.restore();
  };
}

const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });

function options(chart, data, width) {
  const words = clock(data.zone), quiet = style("--quiet"), line = style("--line"), plot = style("--plot");
  const show = (_, value) => value === null || value === undefined ? "–" : value.toFixed(chart.decimals) + " " + chart.unit;
  const long = data.to - data.from > 3 * 86400;
  const known = chart.mean.concat(chart.min ?? [], chart.max ?? [], chart.low, chart.high).filter((each) => each !== null);
  const low = Math.min(...known), high = Math.max(...known), margin = (high - low) * 0.08 || Math.abs(high) * 0.02 || 0.5;
  const faint = { stroke: "transparent", width: 0, points: { show: false }, value: show };
  const axis = { stroke: quiet, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: "11px system-ui" };
  return {
    width, height: 176, padding: [8, 6, 0, 0],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), words.zone),
    scales: { x: { min: data.from, max: data.to }, y: { range: [low - margin, high + margin] } },
    cursor: { y: false, drag: { x: true, y: false } },
    axes: [
      { ...axis, space: 64, size: 26, values: (_, ticks) => ticks.map(long ? words.days : words.tick) },
      { ...axis, size: 44, values: (_, ticks) => ticks.map((each) => short.format(each)) },
    ],
    series: [
      { label: "Time", value: (_, seconds) => seconds === null ? "–" : words.full(seconds) },
      { label: chart.min ? "Mean" : "Value", stroke: plot, width: 1.75, value: show, spanGaps: false, points: { show: false } },
      ...(chart.min ? [{ ...faint, label: "Highest" }, { ...faint, label: "Lowest" }] : []),
    ],
    bands: chart.min ? [{ series: [2, 3], fill: style("--band") }] : [],
    hooks: { drawClear: [shade(chart)] },
  };
}

function draw(entry, chart, data) {
  entry.plot?.destroy();
  entry.place.classList.add("drawn");
  entry.plot = new uPlot(options(chart, data, entry.place.clientWidth), columns(chart), entry.place);
  entry.last = () => draw(entry, chart, data);
}

async function loadCharts() {
  lastCharts = Date.now();
  const answer = await fetch(body.dataset.charts, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const data = await answer.json();
  for (const chart of data.charts) {
    const entry = charts.find((each) => each.channel === chart.channel);
    if (entry && chart.times.length && !entry.place.matches(":hover")) draw(entry, chart, data);
  }
}

function startCharts() {
  if (!body.dataset.charts || typeof uPlot === "undefined") return;
  for (const place of document.querySelectorAll("[data-plot]")) charts.push({ channel: place.dataset.plot, place });
  if (!charts.length) return;
  const again = () => charts.forEach((entry) => entry.last?.());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  const sizes = new ResizeObserver(() => charts.forEach((entry) => {
    const width = entry.place.clientWidth;
    if (entry.plot && width && entry.plot.width !== width) entry.plot.setSize({ width, height: 176 });
  }));
  charts.forEach((entry) => sizes.observe(entry.place));
  loadCharts().catch(() => said(false));
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
setInterval(() => { if (Date.now() - lastFetch > ANYWAY_MS) soon(); }, Math.min(5000, ANYWAY_MS));
startCharts();
listen();
