# Where all of us meet.
meet() {
  case "$(lava-role)" in
    client)
      lava-sync Setup_Done
      ;;
    *)
      lava-sync setup-done
      ;;
  esac
}
