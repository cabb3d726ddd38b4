// What the verification pages add where scripts run: a file's digest without sending it, and a signed code without network.
const MAX_BYTES = 10 * 1024 * 1024;
const template = document.getElementById("band");
const BANDS = JSON.parse(template.dataset.bands);

function show(where, name, title, word, sentence) {
  const band = template.content.firstElementChild.cloneNode(true);
  const [tone, shape] = BANDS[name].split(" ");
  band.classList.add(tone);
  band.dataset.band = name;
  band.querySelector("use").setAttribute("href", "#shape-" + shape);
  band.querySelector("h2").append(...inOnePiece(title));
  band.querySelector(".word").textContent = word;
  band.querySelector(".sentence").textContent = sentence;
  where.textContent = "";
  where.append(band);
  where.parentNode.classList.add("told");
  return band.lastElementChild;
}

// An act's number is not cut at the end of a line.
function inOnePiece(title) {
  return title.split(/([A-Z]+-\d{4}-\d+)/).map((part, place) => {
    const piece = document.createElement("span");
    piece.textContent = part;
    if (place % 2) piece.className = "number";
    return piece;
  });
}

// A file: only its digest leaves this device.

const form = document.querySelector("#check form");
if (form && crypto.subtle) {
  const result = document.getElementById("result");
  const button = form.querySelector("button");
  let unknown = null;

  const check = async (file) => {
    if (!file) return;
    unknown = null;
    if (file.size > MAX_BYTES)
      return show(result, "refused", "Rien n’a été vérifié", "Fichier non lu", "Il dépasse 10\u00a0Mio\u00a0: aucun acte délivré ici n’est aussi long.");
    try {
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await new Response(file).arrayBuffer()));
      const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
      const answer = await fetch("/v1/documents/" + sha256);
      if (!answer.ok) throw new Error(answer.statusText);
      tell(await answer.json(), file);
    } catch {
      show(result, "unchecked", "Rien n’a été vérifié", "Service injoignable", "Réessayez quand le réseau est revenu.");
    }
  };

  const tell = (verdict, file) => {
    const here = location.pathname.split("/v/")[1];
    if (verdict.role === "delivered" && here && !verdict.verification_url.endsWith("/v/" + here))
      Object.assign(verdict, {
        role: "other",
        title: "Ce fichier est celui d’un autre acte",
        word: "Ce n’est pas le document de cet acte",
        sentence: "C’est le document authentique de l’acte " + verdict.number + ". " + verdict.sentence,
      });
    const band = verdict.role === "delivered" ? verdict.standing : verdict.role;
    const inside = show(result, band, verdict.title, verdict.word, verdict.sentence);
    if (verdict.role === "unknown") {
      unknown = file;
      button.textContent = "Envoyer ce fichier\u00a0: de quel acte se réclame-t-il\u202f?";
    } else {
      const link = document.createElement("a");
      link.href = verdict.verification_url;
      link.textContent = "Acte " + verdict.number;
      const line = document.createElement("p");
      line.append(link);
      inside.append(line);
    }
    result.scrollIntoView({ block: "nearest" });
  };

  const input = form.elements.file;
  input.addEventListener("change", () => {
    button.textContent = "Vérifier ce fichier";
    check(input.files[0]);
  });
  form.addEventListener("submit", (event) => {
    if (unknown !== null && unknown === input.files[0]) return;
    event.preventDefault();
    check(input.files[0]);
  });
  document.documentElement.classList.add("drops");
  for (const type of ["dragenter", "dragover", "drop"])
    document.addEventListener(type, (event) => {
      event.preventDefault();
      form.classList.toggle("over", type !== "drop");
      if (type === "drop" && event.dataTransfer.files.length) {
        input.files = event.dataTransfer.files;
        input.dispatchEvent(new Event("change"));
      }
    });
}

// A signed code (a compact JWS, RFC 7515): what was issued, said by the code itself.

const ISSUED = "QR signé\u00a0: dit ce qui a été délivré, pas ce qui a changé depuis.";
const FACTS = { k: "Occupation", p: "Emplacement", f: "Premier jour", l: "Dernier jour", h: "Heures", c: "Bénéficiaire", s: "SIRET" };

class Forged extends Error {}
// By nobody whose key is here.
class UnknownKey extends Forged {}

function bytes(text) {
  if (!/^[\w-]+$/.test(text) || text.length % 4 === 1) throw new Forged();
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (each) => each.charCodeAt(0));
}

function json(text) {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes(text)));
  } catch {
    throw new Forged();
  }
}

// The claims of a token that one of these keys signed. Only ES256 is known here, whatever the token asks for.
async function claims(token, keys) {
  const [header, payload, signature, more] = token.split(".");
  if (!signature || more !== undefined) throw new Forged();
  const { alg, kid, crit } = json(header) || {};
  const key = keys.find((each) => each.kid === kid);
  if (alg !== "ES256" || crit !== undefined) throw new Forged();
  if (!key) throw new UnknownKey();
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const { kty, crv, x, y } = key;
  const verifier = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, curve, false, ["verify"]);
  const signed = new TextEncoder().encode(header + "." + payload);
  const holds = await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, verifier, bytes(signature), signed);
  if (!holds) throw new Forged();
  return json(payload);
}

// Those of the authority now, or those that the worker of the patrol kept.
async function publicKeys() {
  const answer = await fetch("/.well-known/jwks.json", { cache: "no-cache" });
  if (!answer.ok) throw new Error(answer.statusText);
  return { all: (await answer.json()).keys, areLive: !answer.headers.has("X-Kept") };
}

const paris = (options) => new Intl.DateTimeFormat("fr-FR", { timeZone: "Europe/Paris", ...options });
const inOneLine = (text) => text.replace(/ /g, "\u00a0");
const dayInWords = (day) =>
  inOneLine(paris({ day: "numeric", month: "long", year: "numeric" }).format(new Date(day + "T12:00:00Z")).replace(/^1 /, "1er "));
const hourInWords = (_, hours, minutes) => inOneLine(Number(hours) + " h" + (minutes === "00" ? "" : " " + minutes));

// What a code says, as the act writes it; anything else as it is.
function inWords(key, said) {
  if (/^\d{4}-\d\d-\d\d$/.test(said)) return dayInWords(said);
  if (key === "h") return said.replace(/(\d\d):(\d\d)/g, hourInWords).replace(/^(.+)[-–](.+)$/, "de $1 à $2");
  if (key === "s") return inOneLine(said.replace(/^(\d{3})(\d{3})(\d{3})/, "$1 $2 $3 "));
  return said.replace(/(\S)'(?=\S)/g, "$1’");
}

function today() {
  const parts = paris({ year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(new Date());
  const of = (type) => parts.find((part) => part.type === type).value;
  return [of("year"), of("month"), of("day")].join("-");
}

function period({ f, l, x }) {
  if (x) return ["specimen", "Spécimen", "Acte d’essai\u00a0: il n’autorise rien."];
  if (today() < f) return ["signed", "Pas encore commencé", "Selon l’horloge de cet appareil, ses dates ne sont pas venues."];
  if (today() > l) return ["expired", "Dates passées", "Selon l’horloge de cet appareil, ses dates sont passées."];
  return ["signed", "Dates en cours", "Selon l’horloge de cet appareil, ses dates sont en cours."];
}

function tellSigned(where, said) {
  const act = document.getElementById("act");
  if (act && act.dataset.number !== said.n)
    return show(where, "forged", "QR signé", "Ce QR n’est pas de cette page", `Il a été signé pour l’acte ${said.n}. Ne vous fiez pas à ce document.`);
  // The page of an act already tells its state, by the authority's clock.
  const [name, word, sentence] = act && !said.x ? ["signed", "Signature valable", "Le QR est bien celui de cet acte."] : period(said);
  const inside = show(where, name, "Acte " + said.n, word, sentence);
  if (!act) inside.append(element("p", "L’état présent (en vigueur, prolongé, abrogé, retiré, remplacé) n’est pas connu sans réseau."));
  const list = element("dl", "");
  list.className = "facts";
  for (const [key, label] of Object.entries(FACTS)) {
    if (typeof said[key] !== "string" || !said[key]) continue; // what the registry protects is left blank
    list.append(element("dt", label), element("dd", inWords(key, said[key])));
  }
  where.append(element("p", ISSUED), list);
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

async function readCode() {
  const section = document.getElementById("signed");
  const token = location.hash.slice(1);
  const where = document.getElementById("signed-result");
  if (!section) return;
  if (!token.includes(".")) {
    // The page of an act does without: here it is the patrol's, in its place and without network.
    if (location.pathname.startsWith("/v/") && !document.getElementById("act"))
      show(where, "unchecked", "QR sans signature", "Rien n’est vérifié", "Ce QR n’est pas signé, ou sa signature manque\u00a0: sans réseau, rien ne dit si l’acte existe.");
    return;
  }
  section.hidden = false;
  const keys = await publicKeys().catch(() => null);
  try {
    if (!keys || !crypto.subtle)
      return show(where, "unchecked", "QR signé", "Non vérifié", "Les clés de l’autorité ne sont pas dans cet appareil\u00a0: ouvrez /patrouille avec du réseau.");
    tellSigned(where, await claims(token, keys.all));
  } catch (error) {
    if (!(error instanceof Forged))
      return show(where, "unchecked", "QR signé", "Non vérifié", "Ce navigateur n’a pas su lire ce QR.");
    if (error instanceof UnknownKey && !keys.areLive)
      return show(where, "unchecked", "QR signé", "Non vérifié", "Aucune clé gardée dans cet appareil n’a signé ce QR\u00a0: il est faux, ou plus récent qu’elles. Rouvrez /patrouille avec du réseau, et ne vous y fiez pas d’ici là.");
    show(where, "forged", "QR signé", "Faux ou altéré", "La signature de ce QR n’est pas celle de l’autorité. Ne vous fiez pas à ce document.");
  }
}

readCode();
addEventListener("hashchange", readCode);

// On patrol: keep this page and the keys.

function active(registration) {
  const coming = registration.installing || registration.waiting;
  if (registration.active || !coming) return undefined;
  return new Promise((resolve, reject) =>
    coming.addEventListener("statechange", () => {
      if (coming.state === "activated") resolve();
      if (coming.state === "redundant") reject(new Error("not installed"));
    }),
  );
}

async function prepare(ready) {
  ready.textContent = "Préparation de la tournée…";
  try {
    for (const scope of ["/patrouille", "/v/"])
      await active(await navigator.serviceWorker.register("/static/patrol.js", { scope }));
    await publicKeys(); // what was kept may be older than the last key
    ready.textContent = "Cet appareil est prêt\u00a0: les codes QR signés se vérifient sans réseau.";
    ready.dataset.ready = "yes";
  } catch {
    ready.textContent = navigator.onLine
      ? "Ce navigateur ne peut pas garder cette page\u00a0: sans réseau, elle ne s’ouvrira pas."
      : "Sans réseau\u00a0: cette page sert telle qu’elle a été gardée.";
  }
}

const ready = document.getElementById("ready");
if (ready && navigator.serviceWorker) prepare(ready);
