# Settings of systemd beside the service of services.gitops.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.gitops;

  # The units that the program starts; it refuses other values than lists of names.
  onFailure = builtins.filter builtins.isString (lib.toList cfg.settings.onFailure or [ ]);

  systemctl = "${pkgs.systemd}/bin/systemctl";
  stamp = "/run/gitops-sync-died";

  # In a command line of systemd (systemd.service(5)).
  quoted = builtins.replaceStrings [ "\\" "%" "$" ] [ "\\\\" "%%" "$$" ];
in
{
  config.systemd.services = lib.mkMerge [
    # The program reports each of its faults itself, once. It can't do that if it
    # was killed, or can't read its configuration or get its credentials. The stamp
    # stays until a run succeeds, so that this also reports only once.
    (lib.mkIf (cfg.enable && onFailure != [ ]) {
      gitops-sync.onFailure = [ "gitops-sync-died.service" ];
      # Outside of the sandbox.
      gitops-sync.serviceConfig.ExecStartPost = "-+${pkgs.coreutils}/bin/rm -f ${stamp}";
      gitops-sync-died = {
        description = "Report that gitops-sync could not start or was killed";
        unitConfig.ConditionPathExists = "!${stamp}";
        serviceConfig = {
          Type = "oneshot";
          # With the exit codes from 3 to 9 the program has reported the fault.
          # systemd passes the exit status to OnFailure units (systemd.exec(5)).
          ExecStart = "/bin/sh -c 'case $$MONITOR_EXIT_CODE:$$MONITOR_EXIT_STATUS in exited:[3-9]) ;; *) : >${stamp} && exec ${systemctl} start --no-block -- \"$$@\" ;; esac' sh ${lib.concatMapStringsSep " " quoted onFailure}";
        };
      };
    })

    # The program blesses a boot once the host is healthy. systemd would bless each
    # boot that comes up.
    (lib.mkIf (cfg.enable && (config.boot.loader.systemd-boot.bootCounting.enable or false)) {
      systemd-bless-boot.enable = false;
    })
  ];
}
