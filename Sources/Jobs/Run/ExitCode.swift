import Archive
import CallLogs
import PostgreSQL
import Store

/// The one table from errors to what the program says and the code it ends with (sysexits(3)).
public struct Failure {
  /// One sentence: what, where, how to mend it.
  public let message: String
  /// The exit code.
  public let kind: JobError.Kind

  /// Reads an error of any room.
  /// - Parameter interruption: tells whether a statement was given up because a signal came
  public init(_ error: any Error, interruption: Interruption? = nil) {
    if interruption?.isRequested == true, (error as? JobError)?.kind != .fault {
      let isTerminated = interruption?.signal == 15
      kind = isTerminated ? .terminated : .interrupted
      message =
        (error as? JobError)?.message
        ?? "\(isTerminated ? "stopped by SIGTERM" : "interrupted"); what is done is committed, the next run goes on from there"
      return
    }
    switch error {
    case let error as JobError:
      (message, kind) = (error.message, error.kind)
    case let error as StoreError:
      let kinds: [StoreError.Kind: JobError.Kind] = [.busy: .busy, .damaged: .badInput]
      (message, kind) = (error.description, kinds[error.kind] ?? .configuration)
    case let error as PostgreSQLError:
      let remedy = Failure.remedy(of: error)
      (message, kind) = (error.description + (remedy.map { "; " + $0 } ?? ""), Failure.kind(of: error))
    case let error as ArchiveError:
      (message, kind) = (error.description, error.kind == .damaged ? .badInput : .inputOutput)
    case let error as DirectoryError:
      (message, kind) = (error.description, .badInput)
    default:
      (message, kind) = ("\(error)", .fault)
    }
  }

  /// SQLSTATEs by PostgreSQL's documentation, appendix A.
  private static func kind(of error: PostgreSQLError) -> JobError.Kind {
    switch error.kind {
    case .connection:
      switch error.connectionFailure {
      case .authentication?: return .permission
      case .noSuchDatabase?: return .configuration
      // Before any server was asked: what is set cannot be read.
      case .other? where error.server.isEmpty: return .configuration
      default: break
      }
    case .connectionLost, .commitUnknown: return .unavailable
    case .cancelled: return .interrupted
    case .protocol: return .fault
    case .statement: break
    }
    guard let state = error.sqlState else { return error.kind == .connection ? .unavailable : .fault }
    switch state {
    case .insufficientPrivilege, .invalidPassword, .class("28"): return .permission
    // Without a signal of ours, somebody cancelled it at the server.
    case .deadlockDetected, .serializationFailure, .lockNotAvailable, .queryCanceled: return .busy
    case .readOnly: return .configuration
    case .undefinedTable, .undefinedColumn, .undefinedFunction, .class("3D"), .class("3F"), .class("0A"), .class("42"):
      return .configuration
    case .class("08"), .class("57"), .tooManyConnections: return .unavailable
    case .class("53"), .class("58"): return .inputOutput
    default: return error.kind == .connection ? .unavailable : .fault
    }
  }
}
