import { Module } from '@nestjs/common';
import { AdmissionService } from './admission.service.js';
import { ApiExceptionFilter } from './api-exception.filter.js';
import { FailureService } from './failure.service.js';
import { OverloadService } from './overload.service.js';
import { PortsService } from './ports.service.js';

@Module({
  providers: [AdmissionService, ApiExceptionFilter, FailureService, OverloadService, PortsService],
  exports: [AdmissionService, ApiExceptionFilter, FailureService, PortsService],
})
export class HttpEdgeModule {}
