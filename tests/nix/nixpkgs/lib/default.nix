# The functions of nixpkgs' lib that are used here.
let
  inherit (builtins)
    concatStringsSep
    elem
    filter
    foldl'
    head
    isAttrs
    isFunction
    isString
    listToAttrs
    map
    mapAttrs
    stringLength
    substring
    tail
    ;

  nameValuePair = name: value: { inherit name value; };
  prefixOf = n: substring 0 n;

  # Calls a maker of names and values for each pair that it keeps.
  filterAttrsRecursive =
    keep: attrs:
    listToAttrs (
      builtins.concatMap (
        name:
        let
          value = attrs.${name};
        in
        if !keep name value then
          [ ]
        else
          [ (nameValuePair name (if isAttrs value then filterAttrsRecursive keep value else value)) ]
      ) (builtins.attrNames attrs)
    );

  recursiveUpdate =
    old: new:
    old
    // mapAttrs (
      name: value:
      if isAttrs value && isAttrs (old.${name} or null) then recursiveUpdate old.${name} value else value
    ) new;

  self = {
    inherit (builtins)
      any
      attrValues
      concatLists
      concatMap
      elem
      isAttrs
      mapAttrs
      ;

    inherit
      concatStringsSep
      filter
      filterAttrsRecursive
      foldl'
      nameValuePair
      recursiveUpdate
      ;

    count = keep: values: builtins.length (filter keep values);
    findFirst =
      keep: otherwise: values:
      if values == [ ] then
        otherwise
      else if keep (head values) then
        head values
      else
        self.findFirst keep otherwise (tail values);
    toList = value: if builtins.isList value then value else [ value ];
    versionAtLeast = version: least: builtins.compareVersions version least >= 0;
    throwIfNot = condition: message: value: if condition then value else throw message;
    unique = foldl' (kept: one: if elem one kept then kept else kept ++ [ one ]) [ ];
    concatMapStringsSep =
      separator: make: values:
      concatStringsSep separator (map make values);

    importJSON = path: builtins.fromJSON (builtins.readFile path);
    optional = condition: value: if condition then [ value ] else [ ];
    optionals = condition: values: if condition then values else [ ];
    optionalString = condition: text: if condition then text else "";
    optionalAttrs = condition: attrs: if condition then attrs else { };

    genAttrs = names: make: listToAttrs (map (name: nameValuePair name (make name)) names);
    mapAttrsToList = make: attrs: map (name: make name attrs.${name}) (builtins.attrNames attrs);
    setAttrByPath =
      path: value: if path == [ ] then value else { ${head path} = self.setAttrByPath (tail path) value; };
    getAttrFromPath = path: attrs: foldl' (value: name: value.${name}) attrs path;
    attrByPath =
      path: otherwise: value:
      if path == [ ] then
        value
      else if value ? ${head path} then
        self.attrByPath (tail path) otherwise value.${head path}
      else
        otherwise;

    hasPrefix = prefix: text: prefixOf (stringLength prefix) text == prefix;
    hasSuffix =
      suffix: text:
      let
        rest = stringLength text - stringLength suffix;
      in
      rest >= 0 && substring rest (stringLength text) text == suffix;
    removePrefix =
      prefix: text:
      if self.hasPrefix prefix text then
        substring (stringLength prefix) (stringLength text) text
      else
        text;
    splitString =
      separator: text: filter isString (builtins.split (builtins.replaceStrings [ "." ] [ "\\." ] separator) text);

    # What needs no quotes has none, as there.
    escapeShellArg =
      value:
      let
        text = toString value;
      in
      if builtins.match "[A-Za-z0-9,._+:@%/-]+" text == null then
        "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] text}'"
      else
        text;
    escapeShellArgs = self.concatMapStringsSep " " self.escapeShellArg;

    makeBinPath = self.makeSearchPath "bin";
    makeSearchPath =
      folder: packages: concatStringsSep ":" (map (package: "${package}/${folder}") packages);
    getBin = package: package;
    getExe = package: "${package}/bin/${package.meta.mainProgram}";
    getExe' = package: program: "${package}/bin/${program}";

    licenses.mit.spdxId = "MIT";
    platforms = {
      linux = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      darwin = [ "aarch64-darwin" ];
    };
    fetchers.proxyImpureEnvVars = [ ];

    fileset = {
      unions = paths: paths;
      # A copy of these files and folders alone.
      toSource =
        { root, fileset }:
        let
          wanted = map toString fileset;
          isIn = path: folder: self.hasPrefix "${folder}/" path;
        in
        builtins.path {
          name = "source";
          path = root;
          filter = path: _: builtins.any (one: path == one || isIn path one || isIn one path) wanted;
        };
    };
  };
  lib = self // import ./modules.nix lib // { types = import ./types.nix lib; };
in
lib
