# The services behind the buttons of the status page. The server writes a file, and
# a path unit starts one of these services, which reads it strictly. There are two
# services, so that a suspension does not wait for the end of a run.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.gitops;
  units = import ./units.nix { inherit lib; };

  auth = cfg.settings.serve.auth or { };
  hasButtons = auth.passwordFile or null != null || auth.header or null != null;

  nameOf = kind: "gitops-sync-button-${kind}";
  waiting = kind: "${dirOf cfg.settings.serve.wanted}/${kind}";
  taken = kind: "/run/${nameOf kind}/taken";

  isPublished = cfg.settings.publishStatus or true;

  # The server owns the folder, and the service may not enter folders of others. So
  # the whole folder is first moved into the folder of the service. If a link is in
  # its place, the link is moved and not followed. Its content is read once, and
  # removed with the folder of the service.
  ofKind = kind: {
    ExecStartPre = "-+${pkgs.coreutils}/bin/mv -T -- ${units.literal (waiting kind)} ${taken kind}";
    RuntimeDirectory = nameOf kind;
    RuntimeDirectoryMode = "0700";
  };

  pathOf = kind: {
    description = "Handle buttons of the status page (${kind})";
    wantedBy = [ "multi-user.target" ];
    pathConfig = {
      DirectoryNotEmpty = units.absolute (waiting kind);
      Unit = "${nameOf kind}.service";
    };
  };

  # A switch that this service makes must not end it.
  stays = {
    restartIfChanged = false;
    unitConfig = {
      X-StopOnRemoval = false;
      StartLimitIntervalSec = 0;
    };
  };

  # A run by a button has all settings of gitops-sync.service.
  run = config.systemd.services.gitops-sync;
  ofRuns = removeAttrs run.serviceConfig [
    "ExecStartPost"
    "SuccessExitStatus"
  ];
in
{
  config = lib.mkIf (cfg.enable && cfg.serve.enable && hasButtons) {
    systemd.paths = {
      ${nameOf "words"} = pathOf "words";
      ${nameOf "runs"} = pathOf "runs";
    };

    systemd.services.${nameOf "words"} = stays // {
      description = "Store decisions made with buttons of the status page";
      environment = units.environment { HOME = "/var/empty"; };
      serviceConfig =
        import ./sandbox.nix
        // ofKind "words"
        // {
          Type = "oneshot";
          ExecStart = "${lib.getExe cfg.package} pressed words ${taken "words"}";
          TimeoutStartSec = "2min";
          StateDirectory = units.stateWord cfg.settings.stateDirectory;
          StateDirectoryMode = "0700";
          MemoryMax = "512M";
          TasksMax = 64;
          PrivateNetwork = true;
          ProtectHome = true;
          IPAddressDeny = "any";
          RestrictAddressFamilies = "AF_UNIX";
          SystemCallFilter = [
            "@system-service"
            "@pkey"
            "~@privileged @resources"
            # The database of the runtime sets root as the owner of its files.
            "@chown"
          ];
        }
        // lib.optionalAttrs isPublished {
          ReadWritePaths = [ "-/run/gitops-sync-status" ];
        };
    };

    systemd.services.${nameOf "runs"} = stays // {
      description = "Start runs requested with buttons of the status page";
      inherit (run) after path wants;
      environment = removeAttrs run.environment [ "PATH" ];
      serviceConfig =
        ofRuns
        // ofKind "runs"
        // {
          ExecStart = lib.concatStringsSep " " (
            [ "${lib.getExe cfg.package} pressed runs ${taken "runs"}" ] ++ cfg.credentialFlags
          );
        };
    };
  };
}
