/**
 * Checks of the boot loader, the timer, Vault, and configured programs.
 *
 * @module
 */
import { hostPrograms } from "../activation/host_command.ts";
import { liveProblem } from "../activation/next_timer.ts";
import { timer } from "../activation/next_units.ts";
import { exitCodes } from "../base/errors.ts";
import { oneLine } from "../base/text.ts";
import type { Config } from "../config/schema.ts";
import { otherAgents } from "../host/other_agents.ts";
import { bootEntries } from "../host/boot_entry.ts";
import { bootDefault, hasSystemd } from "../host/system.ts";
import { propertiesOf } from "../host/systemd.ts";
import { misledOf } from "../run/misled.ts";
import { serverOf } from "../vault/configured.ts";
import { ask } from "../vault/http.ts";
import { programAt } from "./programs.ts";
import {
  type Check,
  type Configured,
  type Finding,
  ok,
  problem,
  unknown,
  warning,
} from "./check.ts";

const { broken, secrets, usage } = exitCodes;

/** Vault, which the check of secrets needs. */
export const vaultChecks: readonly Check[] = [
  { name: "vault", needs: ["configuration"], exit: secrets, look: vault },
];

/** What comes after a build, and between two runs. */
export const bootChecks: readonly Check[] = [
  { name: "boot-loader", exit: broken, look: bootLoader },
  { name: "timer", needs: ["systemd"], exit: usage, look: nextRun },
  { name: "programs", needs: ["configuration"], exit: usage, look: programs },
  { name: "others", needs: ["systemd"], exit: usage, look: others },
];

/** Sends only requests without a login, so that no token is used up. */
async function vault({ config }: Configured): Promise<Finding> {
  if (config["vault.address"] === undefined) return ok("not configured");
  const server = await serverOf(config);
  // Vault API, "sys/health": a standby answers as an active one then.
  const path = "sys/health?standbyok=true&perfstandbyok=true";
  await ask(server, { what: "query the health of Vault", method: "GET", path });
  const socket = config["vault.socket"];
  const fix = "run systemctl restart gitops-sync-vault-agent";
  try {
    (await Deno.connect({ transport: "unix", path: socket })).close();
  } catch (error) {
    const isRefused = error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.NotCapable;
    if (isRefused) {
      return unknown(
        `${server.address} is healthy; only root can connect to its agent at ${socket}`,
        "run sudo gitops-sync doctor",
      );
    }
    return problem(
      `${server.address} is healthy, but no vault-agent listens on ${socket}`,
      fix,
    );
  }
  return ok(
    `${server.address} is healthy, and its agent listens on ${socket}`,
  );
}

function bootLoader({ known }: Configured): Finding {
  let entries;
  try {
    entries = bootEntries();
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    return unknown(
      "not checked: only root can read /boot",
      "run sudo gitops-sync doctor",
    );
  }
  const names = [...new Set(entries.map(({ loader }) => loader))].join(", ");
  if (entries.length === 0) {
    return warning(
      "no files of systemd-boot, GRUB or extlinux are in /boot or /efi: what a reboot starts can't be checked",
      "check that the partition is mounted: findmnt /boot",
    );
  }
  const { misled } = misledOf(known.state?.lastGood);
  if (misled) {
    return problem(
      `${misled.loader} starts ${
        misled.system ?? "no system"
      }, not the deployed system`,
      "run gitops-sync sync --drift correct",
    );
  }
  const boots = bootDefault();
  const isRight = entries.some(({ system }) => system === boots);
  return isRight && boots !== null ? ok(`${names} starts ${boots}`) : warning(
    `${names}: its default entry does not start the boot default ${
      boots ?? "(there is none)"
    }`,
    "write the boot entries again: /nix/var/nix/profiles/system/bin/switch-to-configuration boot",
  );
}

async function nextRun({ effects }: Configured): Promise<Finding> {
  const lack = await liveProblem(effects);
  if (!lack) {
    const { NextElapseUSecRealtime: at } = await propertiesOf(effects, timer, [
      "NextElapseUSecRealtime",
    ]);
    return ok(
      at && at !== "n/a" && at !== "0"
        ? `the next run starts ${oneLine(at, 60)}`
        : `${timer} waits for its next run`,
    );
  }
  const { LoadState, ActiveState } = await propertiesOf(effects, timer, [
    "LoadState",
    "ActiveState",
  ]);
  if (LoadState === "loaded" && ActiveState !== "active") {
    return problem(
      lack.text,
      `start it: systemctl start ${timer}`,
      ...lack.hints,
    );
  }
  if (LoadState === "not-found") {
    return problem(
      `there is no ${timer}: no run starts by itself`,
      "import the module (gitops.nixosModules.gitops), and set services.gitops.enable = true;",
    );
  }
  return problem(lack.text, ...lack.hints);
}

const commandOptions = [
  ...["hooks.preDeploy", "hooks.postDeploy", "hooks.onFailure"],
  ...["hooks.onRecovered", "health.commands"],
] as const;
const unitOptions = ["onFailure", "onRecovered", "onSuccess"] as const;

/** Finds missing programs that a run would only miss when it starts them. */
async function programs(context: Configured): Promise<Finding> {
  const { config } = context;
  const argvs = commandOptions.flatMap((option) =>
    config[option].map((argv) => ({ option, program: argv[0]! }))
  );
  const lacking = argvs.filter(({ program }) =>
    !programAt(program, hostPrograms)
  ).map(({ option, program }) => `${option}: ${oneLine(program, 80)}`);
  const units = await missingUnits(context, config);
  if (lacking.length + units.length > 0) {
    const hints = [
      ...lacking.length === 0 ? [] : [
        "name the program with its path in the store, as in ${pkgs.curl}/bin/curl",
      ],
      ...units.length === 0 ? [] : [
        "add the unit to the host's configuration (systemd.services), or name another one",
      ],
    ];
    return problem(
      `missing programs or units: ${[...lacking, ...units].join(", ")}`,
      ...hints,
    );
  }
  const some = argvs.length +
    unitOptions.reduce((sum, option) => sum + config[option].length, 0);
  return ok(
    some === 0
      ? "no hooks are configured"
      : "all configured programs and units exist",
  );
}

async function missingUnits(
  { effects }: Configured,
  config: Config,
): Promise<string[]> {
  if (!hasSystemd()) return [];
  const missing: string[] = [];
  for (const option of unitOptions) {
    for (const unit of config[option]) {
      const { LoadState } = await propertiesOf(effects, unit, ["LoadState"]);
      if (LoadState !== "loaded") missing.push(`${option}: ${unit}`);
    }
  }
  return missing;
}

/** Finds other agents: two of them would undo each other's work. */
async function others({ effects }: Configured): Promise<Finding> {
  const found = await otherAgents(effects);
  if (found.length === 0) return ok("nothing else switches this host");
  return {
    ...warning(
      `also switches this host: ${found.map(({ unit }) => unit).join(", ")}`,
      ...new Set(found.map(({ fix }) => fix)),
    ),
  };
}
