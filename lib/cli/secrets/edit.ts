/**
 * `gitops-sync secrets edit`: opens a secret in an editor; its plaintext is
 * never stored on a disk.
 *
 * @module
 */
import { basename, join } from "@std/path";
import { exists } from "@std/fs";
import {
  type ExitCode,
  exitCodes,
  SyncError,
  usageError,
} from "../../base/errors.ts";
import { privateFolder } from "../../host/private_folder.ts";
import { replaceFile } from "../../host/replace.ts";
import { type Place, placeOf } from "../../secrets/people/checkout.ts";
import { attend } from "../../process/attended.ts";
import {
  ageRecipientsOf,
  decryptAge,
  encryptAge,
} from "../../secrets/people/own_age.ts";
import {
  copyOf,
  sopsCommand,
  sopsFailure,
} from "../../secrets/people/own_sops.ts";
import { localConfigOf } from "../config.ts";
import { realEffects } from "../output/effects.ts";
import { ownIdentities } from "./identities.ts";
import { Interruption } from "../output/interruption.ts";
import { printJson } from "../output/json.ts";
import { print } from "../output/print.ts";
import { isAge, noIdentity, type Work } from "./work.ts";
import type { Call } from "../call.ts";

/** The exit code of sops if nothing was changed (sops, `codes.go`). */
const unchangedCode = 200;

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  const [file] = call.operands;
  if (file === undefined) {
    throw usageError(
      "file-missing",
      "Cannot edit a secret: expected gitops-sync secrets edit FILE",
    );
  }
  const place = await placeOf(file);
  const config = await localConfigOf(call);
  using effects = await realEffects(call.verbose);
  // These signals end the editor first, so that its files can be removed. The
  // editor handles Ctrl-C itself.
  using interruption = new Interruption(["SIGTERM", "SIGHUP"]);
  const identities = await ownIdentities(effects, config);
  const work = { effects, identities };
  const content = isAge(place)
    ? await editAge(work, place, interruption.signal)
    : await editSops(work, place, interruption.signal);
  if (content) await replaceFile(join(place.top, place.path), content);
  const result = content ? "changed" : "unchanged";
  if (call.json) {
    printJson("secrets edit", exitCodes.ok, { result, file: place.path });
  } else print(content ? `Changed ${place.path}` : "Nothing was changed");
  return exitCodes.ok;
}

/** Lets sops encrypt the changed values again; the others stay unchanged. */
async function editSops(
  { identities }: Work,
  place: Place,
  stop: AbortSignal,
): Promise<Uint8Array | undefined> {
  await using folder = await privateFolder();
  const copy = await copyOf(place, folder);
  // The word `edit` exists since 3.9; without a word every version edits.
  const command = sopsCommand(copy, identities, folder.path);
  const code = await attend(command, stop);
  if (stop.aborted) throw interrupted(place);
  if (code === unchangedCode) return undefined;
  // sops has already printed its error on the terminal.
  if (code !== 0) throw sopsFailure("edit", place, { code, stderr: "" });
  const content = await folder.read(copy.name);
  if (content.length > 0) return content;
  throw new SyncError(
    `Cannot edit ${place.path}: the edited text is empty; the file was not changed`,
    {
      stage: "secrets",
      reason: "empty",
      next: "stop",
      hints: [`Run \`git rm ${place.path}\` to remove the file.`],
    },
  );
}

async function editAge(
  { effects, identities }: Work,
  place: Place,
  stop: AbortSignal,
): Promise<Uint8Array | undefined> {
  const original = join(place.top, place.path);
  const recipients = await ageRecipientsOf(effects, place);
  const isThere = await exists(original);
  if (isThere && identities.length === 0) throw noIdentity(place);
  const before = isThere
    ? await decryptAge(
      effects,
      place,
      identities,
      await Deno.readFile(original),
    )
    : new Uint8Array();
  await using folder = await privateFolder();
  const name = basename(place.path, ".age");
  await folder.write(name, before);
  const editor = editorOf(join(folder.path, name), folder.path);
  const code = await attend(editor, stop);
  if (stop.aborted) throw interrupted(place);
  if (code !== 0) {
    throw usageError(
      "editor-failed",
      `Cannot edit ${place.path}: the editor exited with code ${code}; nothing was changed`,
    );
  }
  const after = await folder.read(name);
  const isSame = before.length === after.length &&
    before.every((byte, i) => byte === after[i]);
  if (isSame) return undefined;
  return await encryptAge(effects, place, recipients, after);
}

/**
 * Starts the person's editor as Git finds it (git-sh-setup, "git_editor"). Git
 * starts it, so this program needs no permission for other programs.
 */
const callEditor = `!f() { eval "$(git var GIT_EDITOR)" '"$@"'; }; f`;

function editorOf(file: string, folder: string) {
  return {
    program: "git",
    args: ["-c", `alias.edit-secret=${callEditor}`, "edit-secret", file],
    env: { ...Deno.env.toObject(), TMPDIR: folder },
    cwd: folder,
  };
}

function interrupted({ path }: Place): SyncError {
  return new SyncError(`Interrupted: ${path} was not changed`, {
    stage: "config",
    reason: "interrupted",
    next: "stop",
    exit: exitCodes.interrupted,
  });
}
