using System.Runtime.InteropServices;

namespace Polymath.Files;

/// <summary>
/// Replaces a file whole or not at all: after a crash or a loss of power at any instant the name holds the old
/// content or the new. On Unix the folder is synced too, so that a returned write has happened for good; on Windows
/// the rename itself may still be lost with the power, which leaves the old content.
/// </summary>
public static partial class AtomicFile
{
    private const int BufferBytes = 1 << 16;
    private const int InvalidArgument = 22;   // EINVAL: some file systems cannot sync a folder

    private static int s_count;

    /// <summary>
    /// Lets <paramref name="content"/> write a temporary file in the folder of <paramref name="path"/>, syncs it and
    /// renames it. If anything fails the temporary file is removed and <paramref name="path"/> is untouched.
    /// </summary>
    /// <exception cref="IOException">The disk is full or failing, or the folder is missing.</exception>
    public static void Write(string path, Action<Stream> content)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(content);
        string full = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(full) ?? throw new ArgumentException($"{path} is no file name", nameof(path));
        string temporary = Path.Combine(folder, TemporaryName(Path.GetFileName(full)));
        try
        {
            File.Delete(temporary);   // an orphan of a dead process with the same number
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferBytes))
            {
                content(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, full, overwrite: true);
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }

        SyncFolder(folder);
    }

    /// <summary>Removes temporary files of <paramref name="path"/> that dead processes left behind.</summary>
    public static void RemoveOrphans(string path)
    {
        string full = Path.GetFullPath(path);
        string? folder = Path.GetDirectoryName(full);
        if (folder is null || !Directory.Exists(folder))
            return;
        foreach (string orphan in Directory.GetFiles(folder, $".{Path.GetFileName(full)}.*.tmp"))
        {
            string[] parts = Path.GetFileName(orphan).Split('.');
            if (int.TryParse(parts[^3], out int process) && process != Environment.ProcessId && !IsRunning(process))
                TryDelete(orphan);
        }
    }

    /// <summary>Makes the names in a folder durable; does nothing where the system has no such call.</summary>
    /// <exception cref="IOException">The disk reported an error.</exception>
    public static void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        int descriptor = Open(folder, 0);
        if (descriptor < 0)
            return;   // a folder that may be written but not read: nothing more can be promised
        int result = Sync(descriptor);
        int error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        if (result != 0 && error != InvalidArgument)
            throw new IOException($"{folder}: the folder could not be synced (error {error})");
    }

    private static string TemporaryName(string name) =>
        $".{name}.{Environment.ProcessId}.{Interlocked.Increment(ref s_count)}.tmp";

    private static bool IsRunning(int process)
    {
        try
        {
            using var found = System.Diagnostics.Process.GetProcessById(process);
            return !found.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The first failure is the one to report.
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
