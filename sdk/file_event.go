package parley

// The events of transfers.
type (
	// FilesOffered says that somebody wants to send files; Offer.Accept or Offer.Refuse answers.
	FilesOffered struct{ Offer *FileOffer }
	// TransferChanged says that a transfer is in another state; Progress is where it stood then.
	TransferChanged struct {
		Transfer *Transfer
		Progress Progress
	}
	// FileDone says that one file is whole at the receiver and the same as the sender's. It comes once for each file.
	FileDone struct {
		Transfer *Transfer
		// Index is the file's place in Transfer.Files.
		Index int
		File  File
		// Root is the hash of the file that every Parley shows: docs/files.md says over what.
		Root string
		// Path is where it is, on the receiving side.
		Path string
	}
	// TransferEnded is the end of a transfer; Err is Transfer.Err.
	TransferEnded struct {
		Transfer *Transfer
		Err      error
	}
)

func (FilesOffered) event()    {}
func (TransferChanged) event() {}
func (FileDone) event()        {}
func (TransferEnded) event()   {}
