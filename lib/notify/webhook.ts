/**
 * The generic webhook: each event as JSON, signed.
 *
 * @module
 */
import { post, type Sent } from "../base/post.ts";
import { redact } from "../base/redact.ts";
import type { LocalConfig } from "../config/config.ts";
import type { HostState } from "../run/host_state.ts";
import { messageOf } from "./message.ts";
import type { Notice } from "./notice.ts";
import { certificatesIn, keyIn } from "./secret.ts";

/** The state of the host when a message is sent. */
export interface HostStatus {
  /** What it follows, as in the JSON documents about a host. */
  target: Readonly<Record<string, string>> | null;
  state: HostState;
}

/**
 * Delivers an event. The body is the event with its title and text, and the
 * current state of the host.
 *
 * @throws {BadFile} if the key or the certificates can't be used.
 */
export async function toWebhook(
  config: LocalConfig,
  notice: Notice,
  now: Date,
  hostStatus?: HostStatus,
): Promise<Sent> {
  const body = JSON.stringify({
    ...notice,
    ...hostStatus
      ? { target: safe(hostStatus.target), state: hostStatus.state }
      : {},
    ...textsOf(config, notice),
  });
  const secretFile = config["notify.webhook.secretFile"];
  const signature = secretFile === undefined ? {} : {
    "X-Signature": `sha256=${await signatureOf(
      await keyIn(secretFile, "notify.webhook.secretFile"),
      body,
    )}`,
  };
  return await post({
    url: config["notify.webhook.url"]!,
    headers: {
      "User-Agent": "gitops-sync",
      "X-Gitops-Sync-Event": notice.event,
      "X-Gitops-Sync-Delivery": notice.id,
      ...signature,
    },
    body,
    ca: await certificatesIn(config["notify.caFile"]),
  }, now);
}

function safe(target: HostStatus["target"]): HostStatus["target"] {
  return target && Object.fromEntries(
    Object.entries(target).map(([key, value]) => [key, redact(value)]),
  );
}

function textsOf(config: LocalConfig, notice: Notice) {
  const { title, body } = messageOf(config, notice);
  return { title, text: body };
}

/** Returns the HMAC-SHA256 (RFC 2104) of a text, in hexadecimal digits. */
export async function signatureOf(
  key: Uint8Array<ArrayBuffer>,
  text: string,
): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, algorithm, false, [
    "sign",
  ]);
  const bytes = new TextEncoder().encode(text);
  const signature = await crypto.subtle.sign("HMAC", imported, bytes);
  return [...new Uint8Array(signature)]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
