// CORS for Cloudflare Workers, written by "cors export --to workers": change
// cors.yaml, and write it again. What it says is in policy.json; this is how it is
// kept, and the same for every file.
import policy from "./policy.json";

for (const rule of policy.rules) {
  rule.patterns = rule.patterns.map((p) => new RegExp(`^${p}$`));
  rule.methods = new Set(["GET", "HEAD", "POST", ...rule.methods]);
  rule.requestHeaders = new Set(rule.requestHeaders);
  rule.origins = new Set(rule.origins);
}

export default {
  async fetch(request) {
    const url = new URL(request.url);
    const found = find(url.hostname, url.pathname);
    const decision = decide(found.rule, request.headers, request.method);
    if (decision.preflight && !found.rule.shadow) {
      return new Response(null, { status: decision.status, headers: own(new Headers(), decision) });
    }
    const response = await pass(request, url, found);
    const { shadow, upstreamHeaders } = found.rule;
    const speaks = response.upstream &&
      (upstreamHeaders === "keep" || upstreamHeaders === "fill" && response.headers.has("Access-Control-Allow-Origin"));
    if (!shadow && !speaks) own(response.headers, decision);
    return response;
  },
};

// pass gets the response of the upstream, or one that says that there is none.
async function pass(request, url, { upstream }) {
  if (upstream === null) {
    return new Response(null, { status: 404 });
  }
  let target = url;
  if (upstream !== "") {
    const base = new URL(upstream);
    target = new URL(base.origin + base.pathname.replace(/\/$/, "") + url.pathname + url.search);
  }
  try {
    // A redirect is for the browser to follow.
    const answer = await fetch(new Request(target, request), { redirect: "manual" });
    const response = new Response(answer.body, answer);
    response.upstream = true;
    return response;
  } catch {
    return new Response(null, { status: 502 });
  }
}

// decide says what a rule makes of a request.
function decide(rule, headers, method) {
  const preflight = method === "OPTIONS" && headers.has("Origin") && headers.has("Access-Control-Request-Method");
  const refused = { rule, preflight, allowed: false, status: rule.refusedStatus };
  // Several lines come as one with commas, which is no origin, method or "true".
  const origin = headers.get("Origin");
  if (origin === null || !rule.anyOrigin && !allows(rule, origin)) return refused;
  if (!preflight) return { ...refused, allowed: true, origin };
  const asked = headers.get("Access-Control-Request-Method");
  if (!token.test(asked) || asked.length > 64 || !rule.anyMethod && !rule.methods.has(asked)) return refused;
  const list = headers.get("Access-Control-Request-Headers") ?? "";
  const names = list.split(",").map((name) => name.replace(/^[ \t]+|[ \t]+$/g, "")).filter((name) => name !== "");
  if (list.length > 16384 || !names.every((name) => allowsName(rule, name))) return refused;
  return {
    rule, preflight, allowed: true, origin, status: rule.preflightStatus,
    method: safelisted.has(asked) ? null : asked,
    names: names.length > 0 ? list : null,
    privateNetwork: rule.privateNetwork && headers.get("Access-Control-Request-Private-Network") === "true",
  };
}

const token = /^[!#$%&'*+.0-9A-Z^_`a-z|~-]+$/;
const safelisted = new Set(["GET", "HEAD", "POST"]);

function allowsName(rule, name) {
  const lower = name.toLowerCase();
  return rule.requestHeaders.has(lower) || rule.anyRequestHeader && token.test(name) && lower !== "authorization";
}

function allows(rule, origin) {
  return rule.origins.has(origin) || isOrigin(origin) && rule.patterns.some((p) => p.test(origin));
}

// isOrigin reports whether s is as a browser writes an origin.
function isOrigin(s) {
  if (s === "null" || s === "file://") return true;
  const parts = /^([a-z][0-9a-z+.-]{0,63}):\/\/(\[[0-9a-f:.]{2,39}\]|[!"$-.0-9;=A-Z_-{}~]{1,254})(?::([1-9][0-9]{0,4}))?$/.exec(s);
  if (parts === null) return false;
  const [, scheme, host, port] = parts;
  if (port !== undefined && (Number(port) > 65535 || port === { http: "80", https: "443" }[scheme])) return false;
  if (host.startsWith("[")) return hostOf(host) === host;
  if (scheme !== "http" && scheme !== "https") return true;
  const name = host.replace(/\.$/, "");
  const labels = name.split(".");
  if (name.length > 253 || /[%A-Z]/.test(name) || labels.some((label) => label === "" || label.length > 63)) return false;
  return !/^(?:[0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1)) || hostOf(host) === host;
}

function hostOf(host) {
  try {
    return new URL(`http://${host}/`).hostname;
  } catch {
    return null;
  }
}

// own makes the rule the only author of the CORS headers.
function own(headers, decision) {
  for (const name of [...headers.keys()]) {
    if (name.startsWith("access-control-")) headers.delete(name);
  }
  const { rule, preflight, allowed } = decision;
  const varies = (headers.get("Vary") ?? "").split(",").some((name) => ["*", "origin"].includes(name.trim().toLowerCase()));
  if (rule.varies && !varies) headers.append("Vary", "Origin");
  // "*" stands in every response, so that caches keep one for all.
  if (!allowed && (!rule.anyOrigin || preflight)) return headers;
  headers.set("Access-Control-Allow-Origin", rule.anyOrigin ? "*" : decision.origin);
  if (rule.credentials) headers.set("Access-Control-Allow-Credentials", "true");
  if (!preflight) {
    if (rule.exposedHeaders !== "") headers.set("Access-Control-Expose-Headers", rule.exposedHeaders);
    return headers;
  }
  if (decision.method !== null) headers.set("Access-Control-Allow-Methods", decision.method);
  if (decision.names !== null) headers.set("Access-Control-Allow-Headers", decision.names);
  if (rule.maxAge !== "") headers.set("Access-Control-Max-Age", rule.maxAge);
  if (decision.privateNetwork) headers.set("Access-Control-Allow-Private-Network", "true");
  return headers;
}

// find returns the rule and the upstream of a request. Servers differ in how they
// read a path with escapes, empty segments or semicolons: where two readings have
// different routes, no origin is allowed.
function find(host, path) {
  host = host.replace(/\.$/, "");
  const parted = path.split("/").map((s) => unescaped(s).replaceAll("/", "\0")).join("/");
  const odd = path.split("/").map((s) => escaped(unescaped(s)) === s ? unescaped(s) : s).join("/");
  const plain = parted.replaceAll("\0", "/");
  const route = match(host, cleaned(parted));
  const readings = [cleaned(plain), cleaned(odd), cleaned(loose(plain)), plain, odd, parted];
  const certain = readings.every((reading) => match(host, reading) === route);
  return { rule: policy.rules[certain ? route.rule : policy.off], upstream: route.upstream };
}

function match(host, path) {
  const segments = path.split("/").slice(1);
  return policy.routes.find((route) => fits(route, host, segments)) ?? policy.other;
}

function fits(route, host, segments) {
  if (route.host !== "" && route.host !== host) return false;
  const n = route.path.length;
  if (!route.path.every((want, i) => want === null ? segments[i] : segments[i] === want)) return false;
  switch (route.end) {
    case "": return segments.length === n;
    case "/": return segments.length === n + 1 && segments[n] === "";
    default: return segments.length > n;
  }
}

function unescaped(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return `\uFFFD${segment}`; // no text, and so no route's
  }
}

// escaped escapes what has to be in a segment, and no more.
function escaped(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%(?:24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent);
}

// cleaned resolves empty and dot segments.
function cleaned(path) {
  const out = [];
  for (const segment of path.split("/")) {
    if (segment === "..") out.pop();
    else if (segment !== "" && segment !== ".") out.push(segment);
  }
  return "/" + out.join("/") + (path.endsWith("/") && out.length > 0 ? "/" : "");
}

// loose reads a path as servers do to which a backslash is a slash, and what
// follows a semicolon a parameter.
function loose(path) {
  return path.replaceAll("\\", "/").replace(/;[^/]*/g, "");
}
