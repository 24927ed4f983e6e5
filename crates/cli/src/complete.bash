# Completions of deepdream. They go by what is installed, so the program itself is asked.
_deepdream() {
    local words=() index=0 last='' piece i reply keep here=${COMP_LINE:0:COMP_POINT}
    local raw=${COMP_WORDS[COMP_CWORD]}
    for ((i = 0; i < ${#COMP_WORDS[@]}; i++)); do
        piece=${COMP_WORDS[i]}
        # What stands behind the cursor is not completed.
        if ((i == COMP_CWORD)) && [[ ! $raw =~ ^[=:]+$ ]]; then
            piece=$2
        fi
        # bash takes words apart at = and :, which are put together again unless the last one is apart.
        if ((i > 1)) && [[ $piece =~ ^[=:] || $last =~ [=:]$ ]] &&
            ! { ((i == COMP_CWORD)) && [[ $here =~ [[:space:]]$ ]]; }; then
            words[${#words[@]} - 1]+=$piece
        else
            words+=("$piece")
        fi
        ((i == COMP_CWORD)) && index=$((${#words[@]} - 1))
        last=$piece
    done
    # Only what is behind the last = or : is replaced.
    keep=''
    [[ ${words[index]} != "$2" ]] && keep=${words[index]%"$2"}
    keep=${keep//\\/}
    local typed=${words[index]//\\/}
    words[index]=${typed#[\"\']}

    COMPREPLY=()
    while IFS= read -r -d $'\v' reply || [[ -n $reply ]]; do
        reply=${reply#"$keep"}
        # Within quotes, letters stand for themselves.
        if [[ ! $raw =~ ^[\"\'] ]]; then
            printf -v reply %q "$reply"
            reply=${reply/#\\~/\~}
        fi
        COMPREPLY+=("$reply")
    done < <(
        DEEPDREAM_COMPLETE=bash _CLAP_IFS=$'\v' _CLAP_COMPLETE_INDEX=$index \
            deepdream -- "${words[@]}"
    )
    compopt +o nospace 2>/dev/null
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} =~ [=/:]$ ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
if [[ ${BASH_VERSINFO[0]} -gt 4 || ( ${BASH_VERSINFO[0]} -eq 4 && ${BASH_VERSINFO[1]} -ge 4 ) ]]; then
    complete -o nospace -o bashdefault -o nosort -F _deepdream deepdream
else
    complete -o nospace -o bashdefault -F _deepdream deepdream
fi
