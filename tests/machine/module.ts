/**
 * Stand-in systems that have the module: its units and its configuration, as a
 * NixOS system has them, and an activation that installs them.
 *
 * @module
 */
import type { Settings } from "../world/host.ts";
import type { Knobs, Repository } from "../world/repository.ts";
import type { Machine } from "./machine.ts";

/** What a system's module says. */
export interface Module {
  settings?: Settings;
  /** Lines for `[Timer]` in place of the usual ones. */
  timer?: string;
  /** More lines for `[Service]`. */
  service?: string;
  /** Flags after `sync`. */
  flags?: string;
  /** The program in place of this checkout's. */
  program?: string;
  /** What its activation does beside. */
  activation?: string;
}

const usualTimer = "OnBootSec=1s\nOnUnitInactiveSec=10min";

/** The text of a shell's here-document. */
const here = (path: string, text: string) =>
  `mkdir -p "$(dirname "${path}")"; cat >"${path}" <<'END'\n${text}\nEND\n`;

/** The knobs of a system with the module; without one, of a system without. */
export function withModule(
  machine: Machine,
  repository: Repository,
  module?: Module,
): Knobs {
  if (!module) {
    return { build: "", activation: removal };
  }
  const { settings = {}, timer = usualTimer, service = "", flags = "" } =
    module;
  const program = module.program ?? "/usr/local/bin/gitops-sync";
  const config = {
    repository: machine.urlOf(repository),
    ref: "main",
    host: "demo",
    "timeouts.health": "20s",
    // As Host.configure does: to wait proves nothing here.
    "health.steady": "300ms",
    ...settings,
  };
  const units = "$out/etc/systemd/system";
  const build = here(
    "$out/etc/gitops-sync/config.yaml",
    JSON.stringify(config),
  ) + here(`${units}/gitops-sync.timer`, `[Timer]\n${timer}`) +
    here(
      `${units}/gitops-sync.service`,
      `[Unit]
X-StopOnRemoval=false
OnFailure=never.service

[Service]
X-RestartIfChanged=false
Type=oneshot
Environment=HOME=/root DENO_DIR=/var/cache/deno NIX_REMOTE=daemon
Environment="PATH=/usr/local/bin:/usr/bin:/bin"
ExecStart=${program} sync ${flags}
StateDirectory=gitops-sync
StateDirectoryMode=0700
CacheDirectory=gitops-sync
RuntimeDirectory=gitops-sync
RuntimeDirectoryMode=0700
ReadWritePaths=/var/cache/deno
CapabilityBoundingSet=
PrivateTmp=true
PrivateMounts=true
ProtectHome=read-only
ProtectProc=invisible
ProtectSystem=strict
NoNewPrivileges=true
SuccessExitStatus=10
${service}`,
    ) + here(`${units}/timers.target.wants/gitops-sync.timer`, "");
  return { build, activation: installation + (module.activation ?? "") };
}

const installation = `
own=$(dirname "$(dirname "$0")")/etc
mkdir -p /etc/gitops-sync
cp "$own/gitops-sync/config.yaml" /etc/gitops-sync/config.yaml
cp "$own"/systemd/system/gitops-sync.* /run/systemd/system/
systemctl daemon-reload
systemctl restart gitops-sync.timer || true
`;

const removal = `
systemctl stop gitops-sync.timer || true
rm -f /run/systemd/system/gitops-sync.timer
rm -f /run/systemd/system/gitops-sync.service
systemctl daemon-reload
`;
