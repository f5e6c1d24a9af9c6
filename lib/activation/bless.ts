/**
 * Marks a boot that the bootloader counts as good or bad.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { blessProgram, isCounted } from "../host/boot_count.ts";
import { hasSystemd } from "../host/system.ts";
import { activityOf, commandInUnit, startUnit } from "../host/systemd.ts";

/** The timeout in seconds: it renames a file. */
const patience = 60;

/** The timeout for the last units of a boot, in seconds. */
const patienceForBoot = 300;

/** systemd marks a boot as good only after this target. */
const complete = "boot-complete.target";

/**
 * Marks the booted entry as good or as bad. It does nothing if the loader does
 * not count this boot. The mark can be changed later.
 *
 * @returns whether the entry is marked.
 */
export async function blessBoot(
  effects: Effects,
  verdict: "good" | "bad",
): Promise<boolean> {
  if (!hasSystemd() || !isCounted()) return true;
  if (verdict === "good" && !await isComplete(effects)) {
    say(
      effects,
      "warning",
      `This boot is not marked as good, because ${complete} was not reached: the bootloader may give this system up`,
      [`Find what failed with \`systemctl list-dependencies ${complete}\`.`],
    );
    return false;
  }
  const said = await ask(effects, verdict);
  if (said.code === 0) {
    say(effects, "notice", `Marked this boot as ${verdict}`);
    return true;
  }
  say(
    effects,
    "warning",
    `Cannot mark this boot as ${verdict}: ${said.text}`,
    ["Check the bootloader with `bootctl`, and that /boot is writable."],
  );
  return false;
}

/** Returns whether the booted entry still has its counter. */
export async function isUndecided(effects: Effects): Promise<boolean> {
  if (!hasSystemd() || !isCounted()) return false;
  const { code, text } = await ask(effects, "status");
  return code === 0 && text === "indeterminate";
}

/** Returns whether systemd itself considers the boot complete. */
async function isComplete(effects: Effects): Promise<boolean> {
  await effects.run(startUnit(complete, patienceForBoot));
  return await activityOf(effects, complete) === "active";
}

async function ask(
  effects: Effects,
  word: string,
): Promise<{ code: number; text: string }> {
  const program = blessProgram();
  if (program === undefined) {
    return { code: 127, text: "systemd-bless-boot is not installed" };
  }
  const unit = `gitops-sync-bless-${crypto.randomUUID().slice(0, 8)}`;
  const finished = await effects.run(
    commandInUnit(unit, [program, word], {}, patience),
  );
  const text = `${new TextDecoder().decode(finished.stdout)}${finished.stderr}`;
  return { code: finished.code, text: text.trim() };
}
