# bash completion for osiiso. The program knows its options and reads the names in job files; this
# only puts back together what bash has split at = and :, and takes off the quotes.

_osiiso_unquoted() {
  local word=$1
  case $word in '~/'*) word=$HOME/${word:2} ;; esac
  word=${word//[\'\"]/}
  printf -v REPLY '%s' "${word//\\/}"
}

_osiiso() {
  COMPREPLY=()
  local -a words=()
  local index=0 i joins=0 word REPLY
  for ((i = 1; i < ${#COMP_WORDS[@]}; i++)); do
    _osiiso_unquoted "${COMP_WORDS[i]}"
    word=$REPLY
    if [[ ${#words[@]} -gt 0 && ($joins -eq 1 || $word =~ ^[=:]+$) ]]; then
      words[${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
    [[ $word =~ ^[=:]+$ ]] && joins=1 || joins=0
    ((i == COMP_CWORD)) && index=$((${#words[@]} - 1))
  done

  local current=${words[index]} raw=${COMP_WORDS[COMP_CWORD]} others=words line
  local split=${current%"${current##*[=:]}"} # what bash has split off, and will not replace
  {
    read -r others
    while IFS= read -r line; do
      word=${line%%$'\t'*}
      word=${word#"$split"}
      case $raw in
        [\'\"]*) ;;
        *) printf -v word '%q' "$word" ;;
      esac
      COMPREPLY+=("$word")
    done
  } < <(osiiso __complete "$index" "${words[@]}" 2> /dev/null)

  case $others in
    files) compopt -o default 2> /dev/null ;;
    folders) compopt -o dirnames 2> /dev/null ;;
  esac
  case ${COMPREPLY-} in *=) compopt -o nospace 2> /dev/null ;; esac
}

complete -F _osiiso osiiso
