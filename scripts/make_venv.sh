#!/bin/sh
# Makes the virtual environment FOLDER with the first Python that really is 3.11, 3.12 or 3.13.
# Usage: [PYTHON=/path/to/python] scripts/make_venv.sh FOLDER
set -eu

folder=$1

# A name on PATH proves nothing (a pyenv shim exists for versions that are not switched on), so each one is run.
supported='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
python=
if [ -n "${PYTHON:-}" ]; then
  candidates=$PYTHON
else
  candidates="python3.13 python3.12 python3.11 python3 python"
fi
for candidate in $candidates; do
  if "$candidate" -c "$supported" >/dev/null 2>&1; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  echo "No Python 3.11, 3.12 or 3.13 was found (tried: $candidates). Install one, or name it: make PYTHON=/path/to/python" >&2
  exit 1
fi

# Debian and Ubuntu ship `venv` without the part that puts pip into an environment.
if ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  echo "$python (Python $version) cannot make virtual environments. Install python$version-venv (Debian, Ubuntu: apt install python$version-venv) and run make again." >&2
  exit 1
fi

# Half of an environment, left by a run that was stopped, would be taken for a whole one.
"$python" -m venv --clear "$folder"
echo "$folder is made with $("$folder/bin/python" --version)"
