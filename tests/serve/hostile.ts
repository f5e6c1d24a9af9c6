/**
 * Hostile requests: what somebody who is not signed in, or another web page,
 * may send to lose what protects the buttons. Each says where it attacks.
 *
 * @module
 */
import { ownForm } from "./desk.ts";

/** What a hostile request is made with. */
export interface Known {
  /** The cookie and the token of somebody who is signed in. */
  cookie: string;
  csrf: string;
  /** The cookie and the token of a session that is over. */
  oldCookie: string;
  oldCsrf: string;
  /** The token of another person. */
  otherCsrf: string;
}

/** One request; nothing of it may be asked of root's units. */
export interface Hostile {
  name: string;
  method?: string;
  path?: string;
  headers?: Record<string, string | null>;
  /** The body: fields, or text as it is sent. */
  body?: readonly (readonly [string, string])[] | string | Uint8Array;
}

const revision = "4b112af8390c4b112af8390c4b112af8390c4b11";

/** A press that would be right, with other headers; `null` takes one away. */
const withHeaders =
  ({ csrf, cookie }: Known) =>
  (name: string, headers: Record<string, string | null>): Hostile => ({
    name,
    headers: { cookie, ...headers },
    body: [["csrf", csrf], ["action", "sync"]],
  });

/** The same with another body. */
const withBody =
  ({ cookie }: Known) =>
  (name: string, body: Hostile["body"] & object | string): Hostile => ({
    name,
    headers: { cookie },
    body,
  });

/** Where a form says that it comes from. */
function origins(known: Known): Hostile[] {
  const press = withHeaders(known);
  const wrong = [
    null,
    "",
    "null",
    "https://evil.example",
    "http://web-1.example.org",
    "https://web-1.example.org.evil.example",
    "https://web-1.example.org:444",
    "https://web-1.example.org/",
    "https://web-1.example.org.",
    "https://WEB-1.example.org",
    "https://web-1.example.org, https://evil.example",
    "https://evil.example, https://web-1.example.org",
    "https://user@web-1.example.org",
    "//web-1.example.org",
    "web-1.example.org",
    "http://127.0.0.1:9480",
    "http://localhost:9480",
    "file://",
    "https://web-1.example.org%00",
    "https://web-1.example.org#",
    "*",
  ];
  return [
    ...wrong.map((origin) => press(`origin ${origin}`, { origin })),
    press("origin in the referer alone", {
      origin: null,
      referer: "https://web-1.example.org/",
    }),
    ...[
      "cross-site",
      "same-site",
      "none",
      "",
      "SAME-ORIGIN",
      "same-origin, cross-site",
    ]
      .map((site) => press(`site ${site}`, { "sec-fetch-site": site })),
  ];
}

/** Cookies that are no session. */
function cookies(known: Known): Hostile[] {
  const press = withHeaders(known);
  const [name, id = ""] = known.cookie.split("=");
  const bare = name!.replace("__Host-", "");
  const wrong = [
    null,
    "",
    `${name}=`,
    `${name}=${"A".repeat(43)}`,
    `${name}=${id.slice(1)}`,
    `${name}=${id}A`,
    `${name}=${id.toLowerCase()}`,
    `${name}="${id}"`,
    `${name}=${id}.`,
    `${name}=%${id.slice(1)}`,
    `${name}=../../etc/passwd`,
    `${name}=undefined`,
    `${name}=null`,
    `${name}=true`,
    `${name}=__proto__`,
    `${name}=constructor`,
    `${name}=${"0".repeat(64)}`,
    `${name}=ada`,
    `${bare}=${id}`,
    `__Secure-gitops-sync=${id}`,
    `__host-gitops-sync=${id}`,
    `${name} =${id}`,
    `${name}=x; ${known.cookie}`,
    `${known.cookie}; ${name}=x`,
    `${known.cookie}; ${known.cookie}`,
    `x=${known.cookie}`,
    `${name}=${id},${name}=${id}`,
    known.oldCookie,
    `${name}=${"A".repeat(60_000)}`,
    `${"a=b; ".repeat(5_000)}`,
    `session=${id}`,
    `user=ada; admin=1; ${name}=1`,
  ];
  return [
    ...wrong.map((cookie) =>
      press(`cookie ${String(cookie).slice(0, 60)}`, { cookie })
    ),
    press("cookie in another header", {
      cookie: null,
      "x-cookie": known.cookie,
    }),
    press("basic authorization", {
      cookie: null,
      authorization: `Basic ${btoa("ada:ada")}`,
    }),
    press("bearer authorization", {
      cookie: null,
      authorization: `Bearer ${id}`,
    }),
  ];
}

/** Headers that a proxy sets elsewhere, and that count for nothing here. */
function spoofed(known: Known): Hostile[] {
  const press = withHeaders(known);
  const names = [
    "x-remote-user",
    "x-forwarded-user",
    "remote-user",
    "x-auth-request-user",
    "x-webauth-user",
    "x-user",
    "x-authenticated-user",
    "cf-access-authenticated-user-email",
    "tailscale-user-login",
    "x-gitlab-token",
    "x-hub-signature-256",
    "x-forwarded-for",
    "x-real-ip",
    "forwarded",
  ];
  return names.map((name) =>
    press(`header ${name}`, { cookie: null, [name]: "ada" })
  );
}

/** Tokens that are not those of the session. */
function tokens(known: Known): Hostile[] {
  const press = withBody(known);
  const { csrf } = known;
  const wrong = [
    "",
    csrf.slice(0, -1),
    `${csrf}A`,
    csrf.toLowerCase(),
    csrf.toUpperCase(),
    ` ${csrf}`,
    `${csrf}=`,
    encodeURIComponent(`${csrf}%`),
    "A".repeat(csrf.length),
    "undefined",
    "null",
    "true",
    "0",
    "[object Object]",
    known.oldCsrf,
    known.otherCsrf,
    known.cookie,
    known.cookie.split("=")[1]!,
  ];
  const action = ["action", "sync"] as const;
  return [
    press("no token", [action]),
    ...wrong.map((one) =>
      press(`token ${one.slice(0, 40)}`, [["csrf", one], action])
    ),
    {
      name: "token in the address",
      path: `/press?csrf=${csrf}&action=sync`,
      headers: { cookie: known.cookie },
      body: [action],
    },
    {
      name: "token in a header",
      headers: { cookie: known.cookie, "x-csrf-token": csrf },
      body: [action],
    },
    {
      name: "token in a cookie",
      headers: { cookie: `${known.cookie}; csrf=${csrf}` },
      body: [action],
    },
  ];
}

/** Fields that are not those of a button. */
function fields(known: Known): Hostile[] {
  const press = withBody(known);
  const csrf = ["csrf", known.csrf] as const;
  const forms: [string, ...(readonly [string, string])[]][] = [
    ["no action"],
    ["an empty action", ["action", ""]],
    ["two actions", ["action", "sync"], ["action", "resume"]],
    ["two equal actions", ["action", "sync"], ["action", "sync"]],
    ["an empty one first", ["action", ""], ["action", "sync"]],
    ["two tokens", csrf, ["action", "sync"]],
    ["a field too many", ["action", "sync"], ["by", "root"]],
    ["a name", ["action", "sync"], ["name", "root"]],
    ["a version", ["action", "sync"], ["version", "1"]],
    ["a time", ["action", "sync"], ["at", "2026-01-01T00:00:00.000Z"]],
    ["__proto__", ["action", "sync"], ["__proto__", "x"]],
    ["an array", ["action[]", "sync"]],
    ["an object", ["action[toString]", "sync"]],
    ["a reason for a sync", ["action", "sync"], ["reason", "x"]],
    ["a revision for a sync", ["action", "sync"], ["revision", revision]],
    ["a revision for a retry", ["action", "retry"], ["revision", revision]],
    ["a time for a resume", ["action", "resume"], ["for", "1h"]],
    ["an approval of nothing", ["action", "approve"]],
    ["a short approval", ["action", "approve"], ["revision", "4b112af8390c"]],
    ["an approval of a branch", ["action", "approve"], ["revision", "main"]],
    ["a flag for a revision", ["action", "approve"], ["revision", "--help"]],
    ["upper case", ["action", "approve"], ["revision", revision.toUpperCase()]],
    ["a longer hash", ["action", "approve"], ["revision", `${revision}0`]],
    ["two hashes", ["action", "approve"], [
      "revision",
      `${revision} ${revision}`,
    ]],
    ["two revisions", ["action", "approve"], ["revision", revision], [
      "revision",
      revision,
    ]],
    ["a rollback to nothing", ["action", "rollback"]],
    ["a rollback to a path", ["action", "rollback"], [
      "revision",
      "/nix/store/x",
    ]],
    ["a span without a unit", ["action", "suspend"], ["for", "10"]],
    ["a span of nothing", ["action", "suspend"], ["for", "0s"]],
    ["a negative span", ["action", "suspend"], ["for", "-1h"]],
    ["a span of years", ["action", "suspend"], ["for", "5000d"]],
    ["a flag for a span", ["action", "suspend"], ["for", "--reason"]],
    ["a long span", ["action", "suspend"], ["for", "1h".repeat(20)]],
    ["NUL in a reason", ["action", "suspend"], ["reason", "a\0b"]],
    ["CR LF in a reason", ["action", "suspend"], ["reason", "a\r\nb"]],
    ["an escape in a reason", ["action", "suspend"], ["reason", "\x1b[31m"]],
    ["C1 in a reason", ["action", "suspend"], ["reason", "\u009b31m"]],
    ["no character in a reason", ["action", "suspend"], ["reason", "\ufffd"]],
    ...[
      "accept",
      "reject",
      "serve",
      "pressed",
      "init",
      "plan",
      "SYNC",
      "sync ",
      " sync",
      "sync\0",
      "sync\n",
      "sync --now",
      "../sync",
      "sync;reboot",
      "$(reboot)",
      "`reboot`",
      "toString",
      "constructor",
      "__proto__",
      "hasOwnProperty",
    ].map((action): [string, readonly [string, string]] => [
      `action ${JSON.stringify(action)}`,
      ["action", action],
    ]),
  ];
  return forms.map(([name, ...rest]) => press(name, [csrf, ...rest]));
}

/** Bodies that are no form. */
function bodies(known: Known): Hostile[] {
  const press = withBody(known);
  const good = `csrf=${known.csrf}&action=sync`;
  const typed = (type: string | null): Hostile => ({
    name: `type ${type}`,
    headers: { cookie: known.cookie, "content-type": type },
    body: good,
  });
  return [
    press("nothing", ""),
    press("JSON", JSON.stringify({ csrf: known.csrf, action: "sync" })),
    press("a long body", `${good}&reason=${"a".repeat(5_000)}`),
    press("a very long body", good + "&".repeat(1_000_000)),
    press("many fields", good + "&a=b".repeat(500)),
    press(
      "no UTF-8",
      new Uint8Array([
        ...new TextEncoder().encode(`${good}&reason=`),
        0xff,
        0xfe,
      ]),
    ),
    press(
      "UTF-16",
      new Uint8Array([...good].flatMap((one) => [one.charCodeAt(0), 0])),
    ),
    press("a mark of byte order", `\ufeff${good}`),
    press("semicolons", good.replace("&", ";")),
    press("two bodies", `${good}\r\n\r\n${good}`),
    press("encoded names", good.replace("action", "%61ction%00")),
    press("a bad escape", `${good}&reason=%ff%fe`),
    ...[
      null,
      "text/plain",
      "application/json",
      "multipart/form-data; boundary=x",
      "application/x-www-form-urlencodedx",
      "text/plain; application/x-www-form-urlencoded",
      "application/x-www-form-urlencoded, text/plain",
      "",
    ].map(typed),
  ];
}

/** Other methods and paths. */
function places(known: Known): Hostile[] {
  const body = `csrf=${known.csrf}&action=sync`;
  const to = (path: string, method = "POST"): Hostile => ({
    name: `${method} ${path}`,
    path,
    method,
    headers: { cookie: known.cookie },
    ...method === "GET" || method === "HEAD" ? {} : { body },
  });
  return [
    ...["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"]
      .map((method) =>
        to(
          `/press?csrf=${known.csrf}&action=sync`,
          method,
        )
      ),
    ...[
      "/press/",
      "//press",
      "/Press",
      "/press%00",
      "/press/..%2fpress",
      "/press;a=b",
      "/%70ress",
      "/press/sync",
      "/webhook/../x",
      "/pressed",
      "/requests",
      "/words",
      "/runs",
      "/wanted",
      "/.git/config",
      "/etc/passwd",
      "/..%2f..%2fetc/passwd",
      "/login/../press/",
    ].map((path) => to(path)),
    {
      name: "another method in a header",
      method: "GET",
      headers: { cookie: known.cookie, "x-http-method-override": "POST" },
    },
  ];
}

/** Attempts to be let in. */
function logins(known: Known): Hostile[] {
  const names = [
    "",
    "ada",
    "root",
    "ada'--",
    "ada\0",
    "__proto__",
    "constructor",
    "a".repeat(200),
    "<script>alert(1)</script>",
    "ada:$pbkdf2-sha256$i=100000$AAAAAAAAAAAAAAAA$",
    "#",
    "*",
  ];
  const passwords = ["", "wrong password", "correct horse battery ", "\0"];
  const to = (
    name: string,
    fields: readonly (readonly [string, string])[],
    headers = {},
  ): Hostile => ({
    name: `login ${name}`,
    path: "/login",
    headers,
    body: fields,
  });
  const right = [["name", "ada"], [
    "password",
    "correct horse battery",
  ]] as const;
  return [
    ...names.map((name) =>
      to(`name ${name.slice(0, 30)}`, [["name", name], [
        "password",
        "wrong password",
      ]])
    ),
    ...passwords.map((password) =>
      to(`password ${password}`, [["name", "ada"], ["password", password]])
    ),
    to("a long password", [["name", "ada"], ["password", "a".repeat(3_000)]]),
    to("from another page", right, { origin: "https://evil.example" }),
    to("from no page", right, { origin: null }),
    to("cross-site", right, { "sec-fetch-site": "cross-site" }),
    to("two names", [...right, ["name", "grace"]]),
    to("two passwords", [["password", "x"], ...right]),
    to("a field more", [...right, ["admin", "1"]]),
    to("as text", right, { "content-type": "text/plain" }),
    {
      name: "login in the address",
      path: "/login?name=ada&password=correct+horse+battery",
      method: "GET",
    },
    {
      name: "logout by another page",
      path: "/logout",
      headers: { cookie: known.cookie, origin: "https://evil.example" },
      body: [["csrf", known.csrf]],
    },
    {
      name: "logout without a token",
      path: "/logout",
      headers: { cookie: known.cookie },
      body: [],
    },
  ];
}

/** All of them. */
export function hostileRequests(known: Known): Hostile[] {
  return [
    ...origins(known),
    ...cookies(known),
    ...spoofed(known),
    ...tokens(known),
    ...fields(known),
    ...bodies(known),
    ...places(known),
    ...logins(known),
  ];
}

/** Makes the request; what it does not say is as our own page has it. */
export function requestOf(
  { method = "POST", path = "/press", headers = {}, body }: Hostile,
): Request {
  const all = Object.entries({ ...ownForm, ...headers })
    .filter((entry): entry is [string, string] => entry[1] !== null);
  const made = new Headers(all);
  const text = Array.isArray(body)
    ? new URLSearchParams(body.map(([name, value]) => [name, value])).toString()
    : body as string | Uint8Array<ArrayBuffer> | undefined;
  const request = new Request(`http://127.0.0.1:9480${path}`, {
    method,
    headers: made,
    ...text === undefined ? {} : { body: text },
  });
  // A text gets a type of its own where none is given.
  if (headers["content-type"] === null) request.headers.delete("content-type");
  return request;
}
