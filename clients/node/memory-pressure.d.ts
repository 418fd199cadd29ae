// SPDX-License-Identifier: LGPL-2.1-or-later
/** With this process emits 'memoryPressure', as by memoryPressure() of the package. */
import './index';
