# What of systemd's own works beside the service of services.gitops.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.gitops;

  # Those that the program starts; it refuses what is no list of names.
  onFailure = builtins.filter builtins.isString (lib.toList cfg.settings.onFailure or [ ]);

  systemctl = "${pkgs.systemd}/bin/systemctl";
  stamp = "/run/gitops-sync-died";

  # In a command line of systemd (systemd.service(5)).
  quoted = builtins.replaceStrings [ "\\" "%" "$" ] [ "\\\\" "%%" "$$" ];
in
{
  config.systemd.services = lib.mkMerge [
    # The program tells of its faults itself, and once each. One that was killed,
    # or that can't read its configuration or get its credentials, can't do that.
    # The stamp stays until a run ends well, so that this tells once, too.
    (lib.mkIf (cfg.enable && onFailure != [ ]) {
      gitops-sync.onFailure = [ "gitops-sync-died.service" ];
      # Outside of the sandbox.
      gitops-sync.serviceConfig.ExecStartPost = "-+${pkgs.coreutils}/bin/rm -f ${stamp}";
      gitops-sync-died = {
        description = "Report that gitops-sync could not start or was killed";
        unitConfig.ConditionPathExists = "!${stamp}";
        serviceConfig = {
          Type = "oneshot";
          # With the exit codes from 3 to 9 the program has told what is wrong.
          # systemd says how it ended to what OnFailure starts (systemd.exec(5)).
          ExecStart = "/bin/sh -c 'case $$MONITOR_EXIT_CODE:$$MONITOR_EXIT_STATUS in exited:[3-9]) ;; *) : >${stamp} && exec ${systemctl} start --no-block -- \"$$@\" ;; esac' sh ${lib.concatMapStringsSep " " quoted onFailure}";
        };
      };
    })

    # The program blesses a boot once the host is well with it. systemd would
    # bless each one that comes up.
    (lib.mkIf (cfg.enable && (config.boot.loader.systemd-boot.bootCounting.enable or false)) {
      systemd-bless-boot.enable = false;
    })
  ];
}
