/// What an event meant. The raw value is the key in the API.
public enum Meaning: String, Sendable, CaseIterable {
  /// The call begins with this channel. The detail is the dialled number.
  case callStarts = "call_starts"
  /// The channel is being called.
  case rings
  /// Asterisk makes half of a pair of Local channels.
  case helperStarts = "helper_starts"
  /// The channel is answered.
  case answers
  /// An application begins; the detail is its name.
  case applicationStarts = "application_starts"
  /// An application ends; the detail is its name.
  case applicationEnds = "application_ends"
  /// The channel waits in a queue from here on.
  case entersQueue = "enters_queue"
  /// The channel reaches a mailbox.
  case entersVoicemail = "enters_voicemail"
  /// The channel begins to talk with others.
  case talks
  /// The channel enters a bridge in which nobody is yet.
  case entersBridge = "enters_bridge"
  /// The channel enters a bridge in which channels wait.
  case entersHoldingBridge = "enters_holding_bridge"
  /// The channel leaves a bridge.
  case leavesBridge = "leaves_bridge"
  /// The channel is put on hold, and hears music.
  case isHeld = "is_held"
  /// The channel puts the others on hold.
  case holds
  /// The hold ends.
  case holdEnds = "hold_ends"
  /// Music or an announcement begins; the detail names the announcement, and is empty for music.
  case soundStarts = "sound_starts"
  /// It ends.
  case soundEnds = "sound_ends"
  /// The channel is parked.
  case parks
  /// The channel is parked no longer; the detail is Asterisk's reason.
  case unparks
  /// The channel transfers another without asking first; the detail is the number.
  case transfersBlindly = "transfers_blindly"
  /// The channel connects two others, and leaves.
  case transfersAttended = "transfers_attended"
  /// Another channel picks up the call that rings here.
  case isPickedUp = "is_picked_up"
  /// The telephone sends the call on; the detail is the number.
  case forwards
  /// A key was pressed.
  case key
  /// A pair of Local channels is no longer needed.
  case helperIsOptimized = "helper_is_optimized"
  /// The channel hangs up; the detail is the number of the cause (ITU-T Q.850), if any.
  case hangsUp = "hangs_up"
  /// The channel ends.
  case channelEnds = "channel_ends"
  /// The last channel of the linkedid has ended.
  case callEnds = "call_ends"
  /// A recording begins.
  case recordingStarts = "recording_starts"
  /// A recording ends.
  case recordingStops = "recording_stops"
  /// The call comes from outside.
  case comesIn = "comes_in"
  /// The call goes outside.
  case goesOut = "goes_out"
  /// The dialled number is known now; the detail is the number.
  case isDialled = "is_dialled"
  /// The dialplan forwards the call.
  case isForwarded = "is_forwarded"
  /// The dialplan announces whom the call is for.
  case isAnnounced = "is_announced"
  /// The dialplan names the extension that was asked for.
  case isRequested = "is_requested"
  /// The called user missed the call.
  case isMissed = "is_missed"
  /// The called user has blocked the caller.
  case isBlocked = "is_blocked"
  /// The dialplan names the conference or the meeting.
  case conferenceIsNamed = "conference_is_named"
  /// The call was asked for by the API, for all lines of a user.
  case isOriginated = "is_originated"
  /// The event is neither Asterisk's nor Wazo's.
  case unknown
}
