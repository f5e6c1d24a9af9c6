# services.gitops: a timer that brings this host to what a Git repository says.
#
# The options of the program come from nix/options.json, which is made from the
# program's own list of options, with the same names and texts. Here is only what
# NixOS adds: the package, the timer, the service and its sandbox.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib)
    literalExpression
    mkDefault
    mkEnableOption
    mkIf
    mkOption
    mkPackageOption
    types
    ;

  cfg = config.services.gitops;
  json = pkgs.formats.json { };
  programOptions = lib.importJSON ./nix/options.json;

  # The shapes that values have; what is inside of them the program checks when
  # the configuration is built.
  typeOf =
    option:
    {
      anything = types.anything;
      choice = types.enum option.choices;
      flag = types.bool;
      list = types.listOf types.anything;
      number = types.ints.unsigned;
      text = types.str;
      texts = types.listOf types.str;
    }
    .${option.type};

  pathOf = option: lib.splitString "." option.name;

  optionOf =
    option:
    mkOption (
      {
        description = option.text;
      }
      // (
        if option ? default then
          {
            type = typeOf option;
            inherit (option) default;
          }
        else
          {
            type = types.nullOr (typeOf option);
            default = null;
          }
      )
      // lib.optionalAttrs (option ? defaultText) {
        defaultText = lib.literalMD option.defaultText;
      }
    );

  nested = make: lib.foldl' lib.recursiveUpdate { } (map make programOptions);

  # What was not given is left to the program.
  # systemd hands a key over alone, and its certificate stays beside the file.
  given =
    lib.optionalAttrs ((cfg.settings.sshKeyFile or null) != null) {
      sshCertificateFile = "${cfg.settings.sshKeyFile}-cert.pub";
    }
    // lib.filterAttrsRecursive (_: value: value != null) cfg.settings;

  # Checked by the program itself, so that a mistake ends the build of the
  # system and not a run on the host.
  configFile = pkgs.runCommand "gitops-sync-config.yaml" { } (
    ''
      cp ${json.generate "gitops-sync.json" given} $out
    ''
    + lib.optionalString (pkgs.stdenv.buildPlatform.canExecute pkgs.stdenv.hostPlatform) ''
      HOME=$TMPDIR ${lib.getExe cfg.package} config check --config $out
    ''
  );

  # Secrets of the program that systemd hands to the service, wherever they are
  # and whoever may read them: option, name of the credential, flag.
  secretFiles = lib.filter (file: file.path != null) [
    {
      option = "tokenFile";
      credential = "token";
      flag = "--token-file";
      path = cfg.settings.tokenFile or null;
    }
    {
      option = "sshKeyFile";
      credential = "ssh-key";
      flag = "--ssh-key-file";
      path = cfg.settings.sshKeyFile or null;
    }
    {
      option = "tls.keyFile";
      credential = "tls-key";
      flag = "--tls-key-file";
      path = cfg.settings.tls.keyFile or null;
    }
  ];

  stateDirectory = cfg.settings.stateDirectory or "/var/lib/gitops-sync";

  # Activation, the system profile and the bootloader are the work of transient
  # units of systemd, and builds that of the Nix daemon. So the service may be
  # locked up: it changes no more of the host than its own state and cache.
  sandbox = import ./nix/sandbox.nix;
in
{
  imports = [
    ./nix/beside.nix
    ./nix/evaluation.nix
  ];

  options.services.gitops =
    lib.recursiveUpdate (nested (option: lib.setAttrByPath (pathOf option) (optionOf option)))
      {
        secrets.plugins = mkOption {
          type = types.listOf types.package;
          default = config.sops.age.plugins or [ ];
          defaultText = literalExpression "config.sops.age.plugins or [ ]";
          example = literalExpression "[ pkgs.age-plugin-yubikey ]";
          description = ''
            Packages with plugins of age (`age-plugin-NAME`) that the host's identities need, so that the check of secrets finds them.
          '';
        };
      }
    // {
    enable = mkEnableOption "gitops-sync, which brings this host to what a Git repository says";

    package = mkPackageOption pkgs "gitops-sync" { };

    frequency = mkOption {
      type = types.str;
      default = "30m";
      example = "5m";
      description = ''
        How long after the end of one run the next one begins, as a time span of systemd.time(7).
      '';
    };

    randomizedDelay = mkOption {
      type = types.str;
      default = "1m";
      description = ''
        Up to how much later each run begins, so that many hosts do not ask at the same moment. Each host has a delay of its own that stays the same.
      '';
    };

    timeout = mkOption {
      type = types.str;
      default = "12h";
      description = ''
        How long one run may take in all before systemd ends it. The program has shorter limits for each of its stages (`services.gitops.timeouts`).
      '';
    };

    settings = mkOption {
      type = types.submodule { freeformType = json.type; };
      default = { };
      example = literalExpression ''{ timeouts.build = "2h"; }'';
      description = ''
        The configuration of the program as it is written to `/etc/gitops-sync/config.yaml`. It begins with the options of this module; what is set here takes their place.
      '';
    };

    credentials = mkOption {
      type = types.attrsOf types.str;
      default = { };
      example = literalExpression ''{ netrc = "/etc/nix/netrc"; }'';
      description = ''
        More files that systemd reads for the service (`LoadCredential=`), by name: each is found at `/run/credentials/gitops-sync.service/NAME` while it runs. `tokenFile`, `sshKeyFile` and `tls.keyFile` are handed over in this way already.
      '';
    };

    path = mkOption {
      type = types.listOf types.package;
      default = [ ];
      example = literalExpression "[ pkgs.git-lfs ]";
      description = ''
        More packages whose programs the service finds.
      '';
    };

    environment = mkOption {
      type = types.attrsOf types.str;
      default = { };
      example = {
        NIX_SSL_CERT_FILE = "/etc/ssl/certs/company.crt";
      };
      description = ''
        More environment variables of the service. The proxy settings of the host (`networking.proxy`) are there already.
      '';
    };
  };

  config = mkIf cfg.enable {
    assertions = [
      {
        assertion = cfg.settings.repository or null != null;
        message = ''
          services.gitops does not know its repository. Write, for example:
            services.gitops.repository = "https://git.example.org/infra.git";'';
      }
      {
        assertion = !config.system.autoUpgrade.enable;
        message = ''
          services.gitops and system.autoUpgrade would each undo what the other one does. Write:
            system.autoUpgrade.enable = false;'';
      }
      {
        assertion = lib.hasPrefix "/var/lib/" stateDirectory;
        message = ''
          services.gitops.stateDirectory must be a folder in /var/lib, because systemd makes it for the service. Write, for example:
            services.gitops.stateDirectory = "/var/lib/gitops-sync";'';
      }
    ]
    ++ map (file: {
      assertion = !lib.hasPrefix builtins.storeDir file.path;
      message = ''
        services.gitops.${file.option} is in the Nix store, where every user can read it. Put the file on the host and write its path as text, for example:
          services.gitops.${file.option} = "/etc/gitops-sync/${file.credential}";'';
    }) secretFiles;

    services.gitops.settings = nested (
      option:
      lib.setAttrByPath (pathOf option) (mkDefault (lib.getAttrFromPath (pathOf option) cfg))
    );

    environment.systemPackages = [ cfg.package ];
    environment.etc."gitops-sync/config.yaml".source = configFile;

    systemd.services.gitops-sync = {
      description = "Bring this host to what its Git repository says";
      wants = [ "network-online.target" ];
      after = [
        "network-online.target"
        "nix-daemon.socket"
      ];

      # A switch that is done by this very service must not end it.
      restartIfChanged = false;
      unitConfig.X-StopOnRemoval = false;

      environment =
        config.nix.envVars
        // config.networking.proxy.envVars
        // {
          HOME = "/root";
          XDG_CACHE_HOME = "/var/cache/gitops-sync";
          # Nix in the sandbox can't write to the store itself.
          NIX_REMOTE = "daemon";
        }
        // cfg.environment;
      path = [
        config.nix.package
        config.system.build.nixos-rebuild
      ]
      ++ cfg.secrets.plugins
      ++ cfg.path;

      serviceConfig = sandbox // {
        Type = "oneshot";
        ExecStart = lib.concatStringsSep " " (
          [
            (lib.getExe cfg.package)
            "sync"
          ]
          ++ map (file: "${file.flag}=%d/${file.credential}") secretFiles
        );
        LoadCredential =
          map (file: "${file.credential}:${file.path}") secretFiles
          ++ lib.mapAttrsToList (name: path: "${name}:${path}") cfg.credentials;
        # Another run is at work, by hand perhaps: nothing is wrong.
        SuccessExitStatus = 10;
        TimeoutStartSec = cfg.timeout;
        # The program ends what it began itself, and puts the host back.
        KillMode = "mixed";
        TimeoutStopSec = "5min";
        StateDirectory = lib.removePrefix "/var/lib/" stateDirectory;
        StateDirectoryMode = "0700";
        CacheDirectory = "gitops-sync";
        CacheDirectoryMode = "0700";
        # In memory, and gone with the run: for what is decrypted.
        RuntimeDirectory = "gitops-sync";
        RuntimeDirectoryMode = "0700";
      };
    };

    systemd.timers.gitops-sync = {
      description = "Bring this host to what its Git repository says, again and again";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        # For the first time; at once where the host was up before the module was.
        OnBootSec = "1min";
        OnUnitInactiveSec = cfg.frequency;
        RandomizedDelaySec = cfg.randomizedDelay;
        FixedRandomDelay = true;
        AccuracySec = "1s";
        # For an OnCalendar that a host may add; the times above always count
        # from the boot.
        Persistent = true;
      };
    };
  };
}
