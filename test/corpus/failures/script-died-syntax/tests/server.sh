echo begin
if true; then
  echo then
fi fi
