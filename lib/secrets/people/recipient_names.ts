/**
 * The names of recipients in `.sops.yaml` and `secrets.nix`. Pure.
 *
 * @module
 */
import { withoutComment } from "./own_age.ts";

/** A recipient and its name in a file. */
export interface Named {
  name: string;
  recipient: string;
}

const key = /(?:age1[0-9a-z+.-]+|ssh-[\w-]+ [A-Za-z0-9+/=]+|[0-9A-Fa-f]{40})/
  .source;

/**
 * Returns the names in a `.sops.yaml`: anchors (`- &web age1…`), and for other
 * keys the comment after them (`- age1… # web`).
 */
export function namesInSops(text: string): Named[] {
  const line = new RegExp(
    `^[\\s-]*(?:&(\\S+)\\s+)?["']?(${key})["']?,?\\s*(?:#\\s*(.*?)\\s*)?$`,
  );
  return text.split("\n").flatMap((one) => {
    const [, anchor, recipient, comment] = line.exec(one) ?? [];
    const name = anchor ?? comment?.split(/[\s,;]/)[0];
    return recipient && name ? [named(name, recipient)] : [];
  });
}

/** Returns the names in a `secrets.nix`: `web = "ssh-ed25519 …";`. */
export function namesInNix(text: string): Named[] {
  const binding = new RegExp(
    `([A-Za-z_][\\w'-]*)\\s*=\\s*"(${key})[^"]*"\\s*;`,
    "g",
  );
  const code = text.replace(/(^|\s)#.*$/gm, "");
  return [...code.matchAll(binding)].map(([, name, recipient]) =>
    named(name!, recipient!)
  );
}

function named(name: string, recipient: string): Named {
  const isFingerprint = /^[0-9A-Fa-f]{40}$/.test(recipient);
  return {
    name,
    recipient: isFingerprint
      ? recipient.toUpperCase()
      : withoutComment(recipient),
  };
}
