# What acts on the buttons of the status page. The server writes a file, and a
# path unit starts one of these services, which reads it strictly. There are two,
# so that a suspension does not wait for the end of a run.
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

  # The folder is the server's, and the service has no right to enter what is
  # another's. So the whole folder comes to the service first, by its name alone:
  # a link in its place is moved and not followed. What is in it is seen once,
  # and goes with the folder of the service.
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

  # A switch that is done by this very service must not end it.
  stays = {
    restartIfChanged = false;
    unitConfig = {
      X-StopOnRemoval = false;
      StartLimitIntervalSec = 0;
    };
  };

  # A run by a button is a run as any other: what gitops-sync.service has, it has.
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
            # The runtime's own database gives its files to root, who has them.
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
