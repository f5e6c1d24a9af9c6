# What sops-nix and agenix leave in a system, as far as it tells what will be
# decrypted: the manifest, and the snippets or units that use it. The words are
# those of sops-nix (modules/sops/default.nix, modules/sops/manifest-for.nix) and
# agenix (modules/age.nix); the programs that they name are not there, and nothing
# here is run.
{
  secrets,
  keyFile,
  manifest,
  sops,
}:
let
  inherit (builtins)
    attrNames
    concatStringsSep
    filter
    match
    toFile
    toJSON
    ;
  ofAge = filter (secret: secret.isAge) secrets;
  ofSops = filter (secret: !secret.isAge) secrets;
  program = name: "/nix/store/00000000000000000000000000000000-${name}";

  formatOf =
    file:
    if match ".*\\.ya?ml" file != null then
      "yaml"
    else if match ".*\\.json" file != null then
      "json"
    else if match ".*\\.env" file != null then
      "dotenv"
    else if match ".*\\.ini" file != null then
      "ini"
    else
      "binary";

  sopsManifest = toFile "manifest.json" (toJSON {
    secrets = map (
      { file, key, name, ... }:
      {
        inherit name;
        key = if key == "-" then "" else key;
        path = "/run/secrets/${name}";
        owner = "root";
        group = "root";
        mode = "0400";
        sopsFile = file;
        format = formatOf file;
        restartUnits = [ ];
        reloadUnits = [ ];
        neededForUsers = false;
      }
    ) ofSops;
    secretsMountPoint = "/run/secrets.d";
    symlinkPath = "/run/secrets";
    keepGenerations = 1;
    gnupgHome = sops.gnupgHome or null;
    sshKeyPaths = sops.sshKeyPaths or [ ];
    ageKeyFile = if keyFile == "" then null else keyFile;
    ageSshKeyPaths = sops.ageSshKeyPaths or [ ];
    useTmpfs = false;
    placeholderBySecretName = { };
    templates = [ ];
    userMode = false;
    logging = {
      keyImport = true;
      secretChanges = true;
    };
  });

  sopsCall = "${program "sops-install-secrets-0.0.1"}/bin/sops-install-secrets ${sopsManifest}";

  environment = sops.environment or { };
  exports = concatStringsSep "" (
    map (name: "export ${name}='${environment.${name}}'\n") (attrNames environment)
  );
  variables = concatStringsSep "" (
    map (name: "Environment=\"${name}=${environment.${name}}\"\n") (attrNames environment)
  );

  decryptAge =
    { file, name, ... }:
    ''
      _truePath="/run/agenix.d/$_agenix_generation/${name}"
      echo "decrypting '${file}' to '$_truePath'..."
      TMP_FILE="$_truePath.tmp"

      IDENTITIES=()
      for identity in ${keyFile}; do
        test -r "$identity" || continue
        test -s "$identity" || continue
        IDENTITIES+=(-i)
        IDENTITIES+=("$identity")
      done

      (
        umask u=r,g=,o=
        test -f "${file}" || echo '[agenix] WARNING: encrypted file ${file} does not exist!'
        LANG=C.UTF-8 ${program "age-1.2.1"}/bin/age --decrypt "''${IDENTITIES[@]}" -o "$TMP_FILE" "${file}"
      )
      mv -f "$TMP_FILE" "$_truePath"
    '';
  agenixScript = concatStringsSep "\n" (map decryptAge ofAge);

  snippet = name: text: ''
    #### Activation script snippet ${name}:
    _localstatus=0
    ${text}
  '';
  inScript = manifest == "script";
in
{
  # Within a function that nobody calls, after the words of NixOS.
  activate =
    if inScript then
      ''
        snippets() {
        ${if ofSops == [ ] then "" else snippet "setupSecrets" "(\n${exports}${sopsCall}\n)"}
        ${if ofAge == [ ] then "" else ": <<'END'\n${snippet "agenixInstall" agenixScript}\nEND"}
        :
        }
      ''
    else
      "";
  units =
    if inScript then
      { }
    else
      (
        if ofSops == [ ] then
          { }
        else
          {
            "sops-install-secrets.service" = toFile "sops-install-secrets.service" ''
              [Unit]
              DefaultDependencies=no

              [Service]
              Environment="LOCALE_ARCHIVE=/run/current-system/sw/lib/locale/locale-archive"
              ${variables}ExecStart=${sopsCall}
              RemainAfterExit=true
              Type=oneshot
            '';
          }
      )
      // (
        if ofAge == [ ] then
          { }
        else
          {
            "agenix-install-secrets.service" = toFile "agenix-install-secrets.service" ''
              [Service]
              ExecStart=${toFile "agenix-install-secrets-start" agenixScript}
              Type=oneshot
            '';
          }
      );
}
