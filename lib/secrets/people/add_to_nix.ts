/**
 * Adds a recipient to files of a `secrets.nix`, as a person would. Pure; the
 * result must be evaluated before it is trusted.
 *
 * @module
 */
import type { Newcomer } from "./add_to_sops.ts";
import { namesInNix } from "./recipient_names.ts";

/**
 * Adds a recipient for some files.
 *
 * @param paths The paths as in `secrets.nix`.
 * @returns the new text; `undefined` if a file is named in another way.
 */
export function addToNix(
  text: string,
  newcomer: Newcomer,
  paths: readonly string[],
): string | undefined {
  let result = text;
  for (const path of paths) {
    const next = addToFile(result, newcomer.name, path);
    if (next === undefined) return undefined;
    result = next;
  }
  return bind(result, newcomer);
}

function addToFile(
  text: string,
  name: string,
  path: string,
): string | undefined {
  const quoted = path.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const entry = new RegExp(
    `("${quoted}"\\s*(?:\\.\\s*publicKeys\\s*=|=\\s*\\{[^}]*?publicKeys\\s*=)\\s*)([^;]*)(;)`,
  );
  const parts = entry.exec(text);
  if (!parts) return undefined;
  const [whole, before, value, after] = parts as unknown as string[];
  const list = /^(\[[^\]]*?)(\s*)\]\s*$/.exec(value!);
  const now = list
    ? `${list[1]}${addedTo(list[1]!, list[2]!, name)}]`
    : `${value!.trimEnd()} ++ [ ${name} ]`;
  return text.replace(whole!, () => `${before}${now}${after}`);
}

/** Returns the added item; on its own line in a list with one item per line. */
function addedTo(items: string, gap: string, name: string): string {
  const indent = /\n([ \t]*)[^\n]*$/.exec(items)?.[1];
  return gap.includes("\n") && indent !== undefined
    ? `\n${indent}${name}${gap}`
    : ` ${name}${gap === "" ? " " : gap}`;
}

/** Binds the name to its key, next to the others. */
function bind(text: string, { name, recipient }: Newcomer): string {
  const names = namesInNix(text);
  if (names.some((one) => one.name === name)) return text;
  const line = `${name} = "${recipient}";`;
  const last = names.at(-1);
  const binding = last &&
    new RegExp(`^([ \\t]*)${last.name}\\s*=\\s*"[^"]*"\\s*;.*$`, "m").exec(
      text,
    );
  if (binding) {
    const end = binding.index + binding[0].length;
    return `${text.slice(0, end)}\n${binding[1]}${line}${text.slice(end)}`;
  }
  return /^\s*let\b/m.test(text)
    ? text.replace(/^(\s*let\b)/m, `$1\n  ${line}`)
    : `let\n  ${line}\nin\n${text}`;
}
