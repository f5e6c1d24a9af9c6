# The assertions of services.gitops. They refuse settings that can't work on any
# host, before anything is built.
{
  config,
  dates,
  lib,
  options,
  otherFiles,
  program,
  secretFiles,
  spans,
  receiverFiles,
  units,
}:
let
  inherit (builtins)
    isList
    isPath
    isString
    match
    ;

  cfg = config.services.gitops;
  given = options.services.gitops;

  # A problem is a string, or null if there is none.
  unless = problem: message: {
    assertion = problem == null;
    message = message (toString problem);
  };

  exampleOf =
    option:
    {
      tokenFile = "/etc/gitops-sync/token";
      sshKeyFile = "/etc/gitops-sync/ssh-key";
    }
    .${option} or "/etc/gitops-sync/file";

  aboutFile =
    file:
    unless (units.problemOfPath file.path) (problem: ''
      services.gitops.${file.option} ${problem}. Write the path of a file on the host as a string, for example:
        services.gitops.${file.option} = "${exampleOf file.option}";'');

  # Secrets that the program reads by the paths in its settings. The program itself
  # reports wrong types of those settings.
  readFiles =
    let
      valueAt = name: lib.attrByPath (lib.splitString "." name) null cfg.settings;
      attrsAt = name: if lib.isAttrs (valueAt name) then valueAt name else { };
      listAt = name: if isList (valueAt name) then valueAt name else [ ];
      named = option: path: { inherit option path; };
    in
    map (option: named option (valueAt option)) (
      [
        "inputs.netrcFile"
        "inputs.accessTokensFile"
      ]
      # sops.vault has its own assertions for these.
      ++ lib.optionals (cfg.fromVault == { }) [
        "vault.tokenFile"
        "vault.appRole.secretIdFile"
      ]
    )
    ++ lib.mapAttrsToList (url: named ''inputs.sshKeys."${url}"'') (attrsAt "inputs.sshKeys")
    ++ map (named "secrets.identities") (listAt "secrets.identities")
    ++ lib.concatMap (
      mirror:
      map (name: named "mirrors" (mirror.${name} or null)) [
        "sshKeyFile"
        "tokenFile"
      ]
    ) (listAt "mirrors")
    ++ map (gate: named "gates.prometheus" (gate.tokenFile or null)) (listAt "gates.prometheus");

  isInStore = path: isString path && lib.hasPrefix builtins.storeDir path;

  aboutReadFile = file: {
    # A path of the flake is copied to the store when the settings are written.
    assertion = !(isInStore file.path || isPath file.path);
    message = "services.gitops.${file.option} names ${toString file.path}. The file is in the Nix store, where every user can read it. Put the file on the host and write its path as a string, for example /etc/gitops-sync/file.";
  };

  aboutSecret = file: {
    assertion = !isInStore file.path;
    message = ''
      services.gitops.${file.option} is in the Nix store, where every user can read it. Put the file on the host and write its path as a string, for example:
        services.gitops.${file.option} = "${exampleOf file.option}";'';
  };

  sameName = file: lib.findFirst (one: one.credential == file.credential) null secretFiles;
  aboutName = file: [
    (unless (units.problemOfName file.credential) (problem: ''
      services.gitops.${file.option} ${problem}. Use another name, for example:
        services.gitops.credentials.netrc = "/etc/nix/netrc";''))
    {
      assertion = sameName file == null;
      message = ''
        services.gitops.${file.option} has the same name as the credential of services.gitops.${
          (sameName file).option
        }. Remove one of them, or give it another name.'';
    }
  ];

  aboutVariable =
    name: value:
    unless (units.problemOfVariable name value) (problem: ''
      services.gitops.environment: "${name}" ${problem}.'');

  # These checks find only what every version of systemd refuses. systemd itself
  # checks the rest when the configuration is built (timing.sh).
  startsLikeSpan = value: match "[[:space:]]*[+]?[0-9.][^[:cntrl:]]*" value != null;
  isNothing = value: match "[[:space:]]*[+]?[0. ]+[[:space:]]*[a-zA-Z]*[[:space:]]*" value != null;
  aboutSpan =
    {
      option,
      value,
      kind,
      example,
    }:
    {
      assertion =
        (startsLikeSpan value && (kind == "zero" || !isNothing value))
        || (kind == "infinite" && value == "infinity");
      message = ''
        ${option} is "${value}". It must be a time span${
          if kind == "zero" then "" else " greater than zero"
        } as systemd.time(7) describes it. Write, for example:
          ${option} = "${example}";'';
    };

  aboutDate = value: {
    assertion = match "[^[:cntrl:]]*[^[:cntrl:][:space:]][^[:cntrl:]]*" value != null;
    message = ''
      services.gitops.dates has "${value}". It must be a calendar event as systemd.time(7) describes it. Write, for example:
        services.gitops.dates = "04:40";'';
  };

  lost = program.lostIn cfg.settings;

  others = {
    "system.autoUpgrade" = config.system.autoUpgrade.enable;
    "services.comin" = options.services ? comin && config.services.comin.enable;
  };
  aboutOther = other: isEnabled: {
    assertion = !isEnabled;
    message = ''
      services.gitops and ${other} both switch this host and would undo each other's work. Disable ${other}:
        ${other}.enable = false;'';
  };
in
[
  {
    assertion = cfg.settings.repository != null;
    message = ''
      services.gitops.repository is required. Set it, for example:
        services.gitops.repository = "https://git.example.org/infra.git";'';
  }
  {
    assertion = lost == [ ];
    message = ''
      services.gitops.settings leaves these options without a value: ${lib.concatStringsSep ", " lost}. Remove them there, or give each one a value.'';
  }
  (unless (units.problemOfState cfg.settings.stateDirectory) (problem: ''
    services.gitops.stateDirectory ${problem}. Write, for example:
      services.gitops.stateDirectory = "/var/lib/gitops-sync";''))
  {
    assertion = !(cfg.environment ? PATH);
    message = ''
      services.gitops.environment.PATH would hide the programs of the service. Add packages instead, for example:
        services.gitops.path = [ pkgs.git-lfs ];'';
  }
  {
    assertion = cfg.dates == null || dates != [ ];
    message = ''
      services.gitops.dates is an empty list, so no run would ever begin. Write, for example:
        services.gitops.dates = "04:40";'';
  }
  {
    assertion = cfg.dates == null || given.frequency.highestPrio > given.dates.highestPrio;
    message = ''
      services.gitops.frequency and services.gitops.dates both set when runs start. Remove one of them.'';
  }
]
++ lib.mapAttrsToList aboutOther others
++ map aboutFile (secretFiles ++ receiverFiles ++ otherFiles)
++ map aboutSecret (secretFiles ++ receiverFiles)
++ map aboutReadFile readFiles
++ lib.concatMap aboutName otherFiles
++ lib.mapAttrsToList aboutVariable cfg.environment
++ map aboutSpan spans
++ map aboutDate dates
