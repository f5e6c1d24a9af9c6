# The units that deliver what services.gitops has to tell. They are beside the
# service that syncs: a receiver that is down holds up no deployment, and the
# secrets of receivers are not where a repository is evaluated.
{
  config,
  lib,
  ...
}:
let
  cfg = config.services.gitops;
  receivers = import ./receivers.nix { inherit cfg lib; };
  units = import ./units.nix { inherit lib; };

  name = "gitops-sync-notify";
  folder = "${cfg.settings.stateDirectory}/notify";
  spool = "${folder}/spool";
in
{
  config = lib.mkIf (cfg.enable && receivers.hasAny) {
    systemd.services.${name} = {
      description = "Deliver the messages of gitops-sync";
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      restartIfChanged = false;
      unitConfig = {
        # Start nothing if no message is pending.
        ConditionDirectoryNotEmpty = units.absolute spool;
        StartLimitIntervalSec = 0;
      };
      environment = units.environment (
        config.networking.proxy.envVars // { HOME = "/var/empty"; } // cfg.environment
      );
      path = lib.optional receivers.hasApprise cfg.notify.apprise.package ++ cfg.path;
      serviceConfig = import ./sandbox.nix // {
        Type = "oneshot";
        ExecStart = lib.concatStringsSep " " (
          [
            (lib.getExe cfg.package)
            "notify"
          ]
          ++ map (file: "${file.flag}=%d/${file.credential}") receivers.files
        );
        LoadCredential = map units.credential receivers.files;
        # Of the state, only the messages.
        ReadWritePaths = units.perhaps folder;
        ProtectHome = true;
        TimeoutStartSec = "15min";
      };
    };

    # As soon as a run has a message.
    systemd.paths.${name} = {
      description = "Deliver the messages of gitops-sync when they arrive";
      wantedBy = [ "paths.target" ];
      pathConfig.PathChanged = units.absolute spool;
    };

    # For messages that could not be delivered, or came while the service ran.
    systemd.timers.${name} = {
      description = "Deliver the pending messages of gitops-sync";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnCalendar = "minutely";
        AccuracySec = "10s";
      };
    };
  };
}
