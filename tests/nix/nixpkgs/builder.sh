# Builds a derivation of the stand-in: the phases and helpers that are used.

# With __structuredAttrs the attributes are in a file, and no variables.
if [ -n "${NIX_ATTRS_SH_FILE-}" ]; then
	. "$NIX_ATTRS_SH_FILE"
	out=${outputs[out]}
	export out PATH
fi

runHook() { :; }

makeWrapper() { # PROGRAM WRAPPER [--run COMMAND | --prefix NAME : VALUE | --set NAME VALUE | --add-flags WORDS]…
	local program=$1 wrapper=$2 flags='' lines=''
	shift 2
	while [ $# -gt 0 ]; do
		case $1 in
		--prefix)
			lines="$lines${lines:+$'\n'}export $2='$4'\${$2:+:\$$2}"
			shift 4
			;;
		--run)
			lines="$lines${lines:+$'\n'}$2"
			shift 2
			;;
		--set)
			lines="$lines${lines:+$'\n'}export $2='$3'"
			shift 3
			;;
		--add-flags)
			flags="$flags $2"
			shift 2
			;;
		*)
			echo "makeWrapper: an unknown argument: $1" >&2
			exit 1
			;;
		esac
	done
	mkdir -p "$(dirname "$wrapper")"
	printf '#!/bin/bash -e\n%s\nexec %s%s "$@"\n' "$lines" "$program" "$flags" >"$wrapper"
	chmod +x "$wrapper"
}

installShellCompletion() { # --cmd NAME --bash FILE --zsh FILE --fish FILE
	[ "$1 $3 $5 $7" = '--cmd --bash --zsh --fish' ]
	install -D -m 644 "$4" "$out/share/bash-completion/completions/$2.bash"
	install -D -m 644 "$6" "$out/share/zsh/site-functions/_$2"
	install -D -m 644 "$8" "$out/share/fish/vendor_completions.d/$2.fish"
}

# The number at the end of a name is the section. Pages are packed afterwards.
installManPage() { # FILE…
	local page section
	for page; do
		section=${page##*.}
		case $section in
		[1-9]) ;;
		*)
			echo "installManPage: expected a section at the end of $page" >&2
			exit 1
			;;
		esac
		install -D -m 644 "$page" "$out/share/man/man$section/${page##*/}"
		gzip -n "$out/share/man/man$section/${page##*/}"
	done
}

# As versionCheckHook: with an empty environment, for a line that has the version.
check_version() {
	case " ${nativeInstallCheckInputs[*]} " in
	*version-check-hook*) ;;
	*) return 0 ;;
	esac
	local said
	said=$(cd / && env -i "$out/bin/$pname" --version)
	case $said in
	*"$version"*) ;;
	*)
		echo "versionCheckHook: expected $version, got: $said" >&2
		exit 1
		;;
	esac
}

export TMPDIR=$NIX_BUILD_TOP
cd "$NIX_BUILD_TOP"
if [ -n "${src-}" ]; then
	cp -r "$src" source
	chmod -R u+w source
	cd source
fi
eval "$buildPhase"
eval "${installPhase-}"
if [ -n "${doInstallCheck-}" ]; then check_version; fi
