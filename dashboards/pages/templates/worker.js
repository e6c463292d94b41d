// Keeps the files of the pages and the last pages that were seen, for when there is no connection. VERSION, FILES and
// PLACES stand before this text. Only what the server marks with its reader is kept, and only for that reader.

const FILE_CACHE = "vitals files " + VERSION, PAGE_CACHE = "vitals pages " + VERSION + " ";
const MOST_PAGES = 40;
const PATIENCE_MS = 8000; // then what is kept is shown, if anything is
const STALE_MS = 600000; // an open page that follows what happens is kept again this often
const NOWHERE = "/offline";
let era = 0; // rises when what is kept has to be forgotten, also what is on its way

addEventListener("install", (event) => event.waitUntil(
  caches.open(FILE_CACHE).then((cache) => cache.addAll([...FILES, NOWHERE])).then(() => skipWaiting())));
addEventListener("activate", (event) => event.waitUntil(begin()));

async function begin() {
  for (const name of await caches.keys())
    if (name !== FILE_CACHE && !name.startsWith(PAGE_CACHE)) await caches.delete(name);
  await clients.claim();
  for (const client of await clients.matchAll()) await keepAgain(new URL(client.url));
}

addEventListener("fetch", (event) => {
  const { request } = event, address = new URL(request.url);
  if (address.origin !== location.origin) return;
  // Another reader, or another language.
  if (/^\/(sign-(in|out)|(account\/)?language)$/.test(address.pathname)) event.waitUntil(forget());
  if (request.method !== "GET") return;
  if (address.pathname.startsWith("/static/")) event.respondWith(file(request));
  else if (request.mode !== "navigate") {
    if (address.searchParams.get("part") === "live") event.waitUntil(keepAgain(address).catch(() => {}));
  } else if (isKept(address)) {
    let kept;
    const mine = era;
    const fresh = fetch(request).then((answer) => {
      kept = keep(address, answer.clone(), mine);
      return answer;
    });
    event.waitUntil(fresh.then(() => kept).catch(() => {}));
    event.respondWith(show(request.url, fresh));
  } else event.respondWith(fetch(request).catch(nowhere));
});

const isKept = (address) => address.pathname === "/" || PLACES.some((each) =>
  address.pathname === each || address.pathname.startsWith(each + "/"));

async function file(request) {
  const found = await caches.match(request);
  if (found) return found;
  const answer = await fetch(request);
  const copy = answer.clone();
  if (answer.ok) caches.open(FILE_CACHE).then((cache) => cache.put(request, copy)).catch(() => {});
  return answer;
}

async function show(address, fresh) {
  try {
    const first = await Promise.race([fresh, new Promise((done) => setTimeout(done, PATIENCE_MS))]);
    if (first && !(first.status >= 502 && first.status <= 504)) return first;
    return (await asItWas(address)) || first || (await fresh);
  } catch {
    return (await asItWas(address)) || nowhere();
  }
}

async function keep(address, answer, mine) {
  // Led away or refused: whoever was signed in is not any more.
  if (answer.type === "opaqueredirect" || answer.redirected || answer.status === 401) return forget();
  const reader = answer.headers.get("Vitals-Reader");
  if (!answer.ok || !reader) return;
  const text = await answer.text(), headers = new Headers(answer.headers);
  for (const name of ["Content-Encoding", "Content-Length", "Vary"]) headers.delete(name);
  headers.set("Vitals-Kept-At", Date.now());
  for (const name of await caches.keys())
    if (name.startsWith("vitals pages") && name !== PAGE_CACHE + reader) await caches.delete(name);
  const otherwise = await caches.match(NOWHERE);
  if (!otherwise || languageOf(await otherwise.text()) !== languageOf(text))
    await (await caches.open(FILE_CACHE)).add(NOWHERE).catch(() => {});
  const cache = await caches.open(PAGE_CACHE + reader), key = address.pathname + address.search;
  await cache.delete(key); // so that it moves to the end
  await cache.put(key, new Response(text, { headers }));
  const keys = await cache.keys();
  for (const old of keys.slice(0, Math.max(keys.length - MOST_PAGES, 0))) await cache.delete(old);
  if (mine !== era) await forget();
}

const languageOf = (text) => (/<html lang="([\w-]+)"/.exec(text) || [])[1] || "en";

async function keepAgain(address) {
  address.searchParams.delete("part");
  const mine = era, known = await caches.match(address.href);
  if (!isKept(address) || known && Date.now() - known.headers.get("Vitals-Kept-At") < STALE_MS) return;
  await keep(address, await fetch(address.href, { headers: { Accept: "text/html" } }), mine);
}

async function forget() {
  era += 1;
  for (const name of await caches.keys()) if (name.startsWith("vitals pages")) await caches.delete(name);
}

async function asItWas(address) {
  const found = await caches.match(address);
  if (!found || !found.headers.has("Vitals-Kept-At")) return undefined;
  const text = await found.text(), language = languageOf(text);
  const at = new Date(Number(found.headers.get("Vitals-Kept-At")));
  const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", numberingSystem: "latn" };
  if (Date.now() - at > 43200000) Object.assign(options, { weekday: "short", day: "numeric", month: "short" });
  const time = new Intl.DateTimeFormat(language, options).format(at);
  const said = text.replace(/id="kept" hidden([^]*?)\{time\}/, (_, between) => 'id="kept"' + between + time);
  return new Response(said, { headers: found.headers });
}

async function nowhere() {
  const page = await caches.match(NOWHERE);
  if (!page) return Response.error();
  const lines = [];
  for (const name of await caches.keys()) if (name.startsWith(PAGE_CACHE)) {
    const cache = await caches.open(name);
    for (const key of await cache.keys()) {
      const title = (/<title>([^<]*)/.exec(await (await cache.match(key)).text()) || [])[1];
      const { pathname, search } = new URL(key.url);
      lines.unshift(`<li><a href="${(pathname + search).replace(/&/g, "&amp;")}">${title}</a></li>`);
    }
  }
  const text = (await page.text()).replace(/(<ul id="kept-pages"[^>]*>)/, (start) => start + lines.join(""));
  return new Response(text, { headers: page.headers });
}
