#!/usr/bin/env bash
# Make the bundled model: models/make.sh DATA_FOLDER WORK_FOLDER
#
# Takes about two hours of two cores. Run the same command again after an interruption: what is there stays, and a
# training goes on from its checkpoint. To begin anew, remove WORK_FOLDER.
set -euo pipefail
data=$(realpath "$1")
work=$(realpath "$2")
here=$(cd "$(dirname "$0")" && pwd)
most_bytes=20000000
export RNNCLI_TRAIN_CACHE_DIR="$work/cache"

train() { # NAME ARGUMENTS: train the model NAME.npz, unless it is there
    if [ -e "$1.checkpoint.npz" ]; then
        rnncli train "${@:2}" -o "$1.npz" --checkpoint-every 10m --resume
    elif [ ! -e "$1.npz" ]; then
        rnncli train "${@:2}" -o "$1.npz" --checkpoint-every 10m
    fi
    if [ -e "$1.checkpoint.npz" ]; then # the training was interrupted, and has saved what it had
        exit 130
    fi
}

[ -e "$work/reasons.txt" ] || python3 "$here/prepare.py" "$data" "$work"
cd "$work"

# All texts, each by how much it resembles what people write to each other.
train everyday \
    tatoeba.txt:2 sentences_winogrande.txt sentences_commonvoice.txt sentences_qasc.txt problems_gsm8k.txt \
    dialog_chitchat_byu.txt dialog_topicalchat.txt dialog_star.txt dialog_personachat_synth.txt \
    dialog_taskmaster3.txt dialog_taskmaster4.txt dialog_selfdialogue.txt:0.5 \
    talk_changelog_everyday.txt:0.5 talk_changelog_techplain.txt:0.25 talk_ami.txt:0.25 \
    fiction_standardebooks.txt fiction_squality_sf.txt pd_simple.txt stories_asp.txt:2 summaries_squality.txt:0.5 \
    masc.txt:2 news_onestop.txt howto_recipes.txt text_openstax_ccby.txt:0.2 \
    web_usesthis.txt:0.5 web_govblogs.txt:0.2 health_medquad.txt:0.1 \
    --valid valid.txt --time 72m --max-vocab 28000 --hidden-size 768 --embedding-size 256 --networks 1 \
    --dropout 0.1 --word-dropout 0 --recurrent-dropout 0

# The network alone goes on: the n-grams are to be those of the sentences below.
[ -e network.npz ] || rnncli compress everyday.npz --ngrams 0 -o network.npz

# Sentences of everyday life, and once more those that give reasons: here the beginning explains the end. A little of
# all other texts is read again, so that the network does not forget them. No word is new.
train english \
    tatoeba.txt:3 sentences_winogrande.txt:3 reasons.txt sentences_commonvoice.txt stories_asp.txt:2 masc.txt \
    dialog_chitchat_byu.txt:0.5 dialog_topicalchat.txt:0.5 dialog_star.txt:0.5 dialog_personachat_synth.txt \
    dialog_selfdialogue.txt:0.25 fiction_standardebooks.txt pd_simple.txt:0.3 \
    talk_changelog_everyday.txt:0.1 talk_changelog_techplain.txt:0.05 talk_ami.txt:0.1 fiction_squality_sf.txt:0.3 \
    summaries_squality.txt:0.2 news_onestop.txt:0.3 howto_recipes.txt sentences_qasc.txt problems_gsm8k.txt:0.3 \
    dialog_taskmaster3.txt:0.5 dialog_taskmaster4.txt:0.5 text_openstax_ccby.txt:0.1 web_usesthis.txt:0.2 \
    web_govblogs.txt:0.1 health_medquad.txt:0.1 \
    --init network.npz --min-count 1000000 --no-prune --valid valid-everyday.txt --time 35m --dropout 0.2

rnncli compress english.npz --bits 8 --ngrams 780k --valid valid-everyday.txt -o small.npz
python3 - <<'END'
import rnncli

model = rnncli.load("small.npz")
model.about["license"] = "CC BY-SA 4.0"
rnncli.save(model, "small.npz")
END
rnncli info -m small.npz
if [ "$(stat -c %s small.npz)" -gt $most_bytes ]; then
    echo "small.npz has more than $most_bytes bytes" >&2
    exit 1
fi
cp small.npz "$here/english.npz"
